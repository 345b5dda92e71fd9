import type { Anatomy } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { Plan, StoreEdit } from '../pass.ts';
import { asColumn, asFloat8 } from './as-float8.ts';
import { castsOf } from './casts.ts';
import { sidesOf } from './eight-bits.ts';
import { planFloat8Graph } from './fp8-graph.ts';
import type { QuantizeOptions, Scheme } from './scheme.ts';
import { hasDecoder, storableIn, storedAsHalf } from './storable.ts';

export const fp8: Scheme = {
  id: 'fp8',
  hint: sentence('8-bit floating point (E4M3), a scale for each channel: a quarter of the size, less exact than int8.'),
  options: [],
  embeddingBits: [],
  source:
    'Micikevicius et al., FP8 Formats for Deep Learning, 2022; safetensors: compressed-tensors, float-quantized; ONNX: DequantizeLinear, opset 19',
  async plan(anatomy, options, { model, format }) {
    const { graph } = model;
    return format === 'safetensors' || !graph
      ? planTensors(model, anatomy, options)
      : planFloat8Graph({ ...model, graph }, anatomy, options);
  },
};

/** compressed-tensors' float-quantized for weights alone: rows are the channels of matrices and of tables. */
function planTensors(model: Model, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const { linears, tables, skipped } = storableIn(model, anatomy, options, ({ weight }) => {
    const [rows, columns] = sidesOf(weight);
    return rows * columns + 4 * rows;
  });
  const tied = tables.filter(table => hasDecoder(table, anatomy));
  skipped.push(...tied.map(storedAsHalf));
  const casts = tied.flatMap(table => castsOf(table, anatomy, model));
  const free = tables.filter(table => !tied.includes(table));
  const stored = [...free, ...linears].map((target): StoreEdit => {
    const { values, scale } = asFloat8(target.weight, target.id, 'rows');
    return { kind: 'store', target, bits: 8, groupSize: 0, values, scale: asColumn(scale) };
  });
  return { edits: [...casts, ...stored], skipped };
}
