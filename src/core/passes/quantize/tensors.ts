import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CastEdit, Plan, QuantizeEdit, Skipped } from '../pass.ts';
import { castsOf } from './casts.ts';
import {
  alreadyQuantized,
  idleGlobs,
  leftOut,
  nothingFound,
  quantizedAlready,
  threeDimensional,
  tooSmall,
  vectorsKept,
} from './choice.ts';
import { byRows } from './eight-bits.ts';
import type { QuantizeOptions } from './scheme.ts';

/**
 * int8 in safetensors: the linears as compressed-tensors' int-quantized (weight int8 [out, in], weight_scale f32 [out, 1], tokens
 * scaled when the model runs), which transformers loads; it has no 8-bit embeddings, so tables become fp16.
 * rewrite/compressed-tensors.ts writes the names and the configuration.
 */
export function planTensors(model: Model, anatomy: Anatomy, options: QuantizeOptions): Plan {
  if (model.config.quantization_config !== undefined)
    return { edits: [], skipped: [{ target: model.name, reason: alreadyQuantized() }] };
  if (anatomy.layers.length === 0) {
    const reason =
      anatomy.notBert ?? sentence('No BERT layers were found, so it cannot be told which matrices are linear layers.');
    return { edits: [], skipped: [{ target: model.name, reason }] };
  }
  const skipped: Skipped[] = [...quantizedAlready(anatomy), ...threeDimensional(anatomy)];
  const tables = new Set(anatomy.tables.map(table => table.weight.name));
  const linears: QuantizeEdit[] = [];
  for (const linear of anatomy.linears.filter(it => it.form === 'dense')) {
    const reason = linearKept(linear, tables, anatomy, model, options);
    if (reason) skipped.push({ target: linear.id, reason });
    else linears.push(quantized(linear));
  }
  const casts: CastEdit[] = [];
  for (const table of anatomy.tables.filter(it => it.form === 'dense')) {
    const reason = tableKept(table, model, options);
    if (reason) skipped.push({ target: table.id, reason });
    else {
      casts.push(...castsOf(table, anatomy, model));
      const instead = sentence('transformers cannot load 8-bit embeddings: stored as fp16 instead.');
      skipped.push({ target: table.id, reason: instead });
    }
  }
  const edits = [...casts, ...linears];
  const ids = [...anatomy.tables, ...anatomy.linears].map(organ => organ.id);
  skipped.push(...nothingFound(model, skipped, edits.length), ...idleGlobs(ids, options), ...vectorsKept(model, isVector));
  return { edits, skipped };
}

const isVector = ({ dtype, shape }: Tensor): boolean => isFloat(dtype) && shape.length === 1;

const quantized = (target: Linear): QuantizeEdit => {
  const { values, scale } = byRows(target.weight, { id: target.id, signed: true });
  return { kind: 'quantize', target, scheme: 'int8', values, scale, layout: 'stored' };
};

function linearKept(
  linear: Linear,
  tables: ReadonlySet<string>,
  { copies }: Anatomy,
  model: Model,
  options: QuantizeOptions,
): Sentence | undefined {
  const { weight } = linear;
  const chosen = leftOut(linear.id, options);
  if (chosen) return chosen;
  if (!isFloat(weight.dtype)) return sentence('It is {dtype}, not floating point.', { dtype: weight.dtype });
  if (tables.has(copies.get(weight.name) ?? weight.name))
    return sentence('It is the embedding table, which transformers keeps as it is.');
  if (linear.transposed || weight.shape.length !== 2) return sentence('It does not lie as out x in.');
  return tooSmall(weight.byteLength - linear.out * linear.in - 4 * linear.out, model);
}

function tableKept({ id, weight }: Table, model: Model, options: QuantizeOptions): Sentence | undefined {
  const chosen = leftOut(id, options);
  if (chosen) return chosen;
  if (options.embedding_bits === 32) return sentence('Embeddings stay as they are by “embedding_bits”.');
  if (weight.dtype === 'fp16' || weight.dtype === 'bf16')
    return sentence('It has 16 bits already, and transformers cannot load 8-bit embeddings.');
  if (!isFloat(weight.dtype)) return sentence('It is {dtype}, not floating point.', { dtype: weight.dtype });
  const saved = weight.byteLength - 2 * weight.shape.reduce((a, b) => a * b, 1);
  return tooSmall(saved, model);
}
