import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Graph, Node } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { held } from '../computed.ts';
import type { Plan, QuantizeEdit, Skipped } from '../pass.ts';
import { intOf, isPlainProduct, type Use, usesOfConstants } from '../uses.ts';
import { idleGlobs, leftOut, nothingFound, organFinder, quantizedAlready, tooOld, vectorsKept } from './choice.ts';
import { byColumns, byRows, byTensor, sidesOf } from './eight-bits.ts';
import type { QuantizeOptions } from './scheme.ts';
import { smoothed } from './smoothed.ts';
import { type Multiplied, smoothings } from './smoothing.ts';
import { transposed } from './transposed.ts';

/**
 * The weights that onnxruntime's quantize_dynamic would quantize (onnxruntime 1.30, weight_type QInt8, everything else at its
 * default), as it would: every constant right side of a MatMul or plain Gemm as int8, every constant that a Gather reads as uint8
 * with one scale and zero point. The first reader decides. With `smooth` above 0 also smoothed, which the tool does not do. rewrite/dynamic.ts writes the graph.
 */
export function planDynamic(
  model: Model & { readonly graph: Graph },
  anatomy: Anatomy,
  options: QuantizeOptions,
  observed?: ReadonlyMap<string, Float32Array>,
): Plan {
  const old = tooOld(model);
  if (old) return { edits: [], skipped: [old] };
  const organOf = organFinder(anatomy);
  const constants = new Set(model.graph.initializers);
  const uses = usesOfConstants(model);
  const readers = new Map<string, Reader>();
  for (const node of model.graph.nodes) {
    const reader = readerOf(node, model, constants);
    if (reader && !readers.has(reader.tensor.name)) readers.set(reader.tensor.name, reader);
  }
  const chosen: (readonly [Reader, Linear | Table])[] = [];
  const skipped: Skipped[] = quantizedAlready(anatomy);
  for (const reader of readers.values()) {
    const target = organOf(reader.tensor);
    const reason = kept(target.id, reader, uses.get(reader.tensor.name) ?? [], options);
    if (reason) skipped.push({ target: target.id, reason });
    else chosen.push([reader, target]);
  }
  const multiplied = chosen.flatMap(([{ tensor, turned }]) => productsOnly(tensor, turned, uses));
  const smoothing = options.smooth ? smoothings(model, anatomy, multiplied, options.smooth, observed) : undefined;
  const edits = chosen.map(([reader, target]): QuantizeEdit => {
    const smooth = smoothing?.get(reader.tensor.name);
    const source = smooth ? { ...reader, tensor: smoothed(reader.tensor, smooth, reader.turned) } : reader;
    const bits = eightBits(source, target.id, options);
    return { kind: 'quantize', target, scheme: 'int8-dynamic', ...bits, ...(smooth && { smoothing: smooth.factor }) };
  });
  const ids = [...readers.values()].map(({ tensor }) => organOf(tensor).id);
  skipped.push(...otherMatrices(model, readers, organOf));
  skipped.push(...nothingFound(model, skipped, edits.length), ...idleGlobs(ids, options), ...vectorsKept(model, isVector));
  return { edits, skipped };
}

/** The weight, where everything that reads it multiplies by it as its first reader does: only then its numbers may change. */
function productsOnly(weight: Tensor, turned: boolean, uses: ReadonlyMap<string, readonly Use[]>): Multiplied[] {
  const own = uses.get(weight.name) ?? [];
  const fits =
    weight.shape.length === 2 && own.every(({ kind, transposed: by }) => /^(matmul|gemm)$/.test(kind) && by === turned);
  return own.length > 0 && fits ? [{ weight, uses: own }] : [];
}

interface Reader {
  readonly tensor: Tensor;
  readonly as: 'weight' | 'table';
  /** A Gemm with transB. */
  readonly turned: boolean;
}

const isVector = ({ dtype, shape, byteLength }: Tensor): boolean => isFloat(dtype) && byteLength > 8 && shape.length === 1;

/** The constant that this node would have quantized. Only initializers count, as in the tool. */
function readerOf(node: Node, model: Model, constants: ReadonlySet<string>): Reader | undefined {
  const index = node.opType === 'Gather' ? 0 : 1;
  const name = node.inputs[index];
  const tensor = name !== undefined && constants.has(name) ? model.tensors.get(name) : undefined;
  if (!tensor || node.domain !== '' || !isFloat(tensor.dtype) || tensor.shape.length === 0) return undefined;
  if (node.opType === 'Gather') return { tensor, as: 'table', turned: false };
  if (tensor.shape.length < 2) return undefined;
  if (node.opType === 'MatMul') return { tensor, as: 'weight', turned: false };
  if (node.opType === 'Gemm' && tensor.shape.length === 2 && isPlainProduct(node))
    return { tensor, as: 'weight', turned: intOf(node, 'transB', 0) !== 0 };
  return undefined;
}

function kept(id: string, { tensor, as, turned }: Reader, uses: readonly Use[], options: QuantizeOptions): Sentence | undefined {
  const chosen = leftOut(id, options);
  if (chosen) return chosen;
  if (tensor.dtype !== 'fp32')
    return sentence('It is {dtype}, and DynamicQuantizeLinear takes only fp32. The scheme int8 handles it.', {
      dtype: tensor.dtype,
    });
  if (as === 'table' && options.embedding_bits === 32) return sentence('Embeddings stay as they are by “embedding_bits”.');
  if (turned && uses.some(use => use.kind !== 'gemm' || !use.transposed))
    return sentence('A Gemm reads it transposed, and something else as it lies.');
  return undefined;
}

function eightBits({ tensor, as, turned }: Reader, id: string, options: QuantizeOptions) {
  if (as === 'table') return { ...byTensor(tensor, { id, signed: false }), layout: 'stored' } as const;
  const form = { id, signed: true };
  const layout = turned ? 'transposed' : 'stored';
  const turn = (values: Tensor) => (turned ? transposed(values) : values);
  if (!options.per_channel) {
    const whole = byTensor(tensor, form);
    return { ...whole, values: turn(whole.values), layout } as const;
  }
  const { values, scale } = turned ? byRows(tensor, form) : byColumns(tensor, form);
  const [rows, columns] = sidesOf(tensor);
  const zeros = new Int8Array(turned ? rows : columns);
  return { values: turn(values), scale, zeroPoint: held('zeroPoint', 'int8', [zeros.length], zeros), layout } as const;
}

/** Matrices that the tool leaves alone, because no node it knows reads them directly. */
function otherMatrices(model: Model, readers: ReadonlyMap<string, Reader>, organOf: ReturnType<typeof organFinder>): Skipped[] {
  return [...model.tensors.values()]
    .filter(({ name, dtype, shape }) => isFloat(dtype) && shape.length === 2 && !readers.has(name) && Math.min(...shape) > 1)
    .map(tensor => ({
      target: organOf(tensor).id,
      reason: sentence(
        'No MatMul, Gemm or Gather reads it directly, so quantize_dynamic leaves it. The scheme int8 handles more.',
      ),
    }));
}
