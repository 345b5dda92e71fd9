import type { Node } from '../model/graph.ts';
import { computed, deferred, madeFrom } from '../passes/computed.ts';
import type { QuantizeBlocksEdit } from '../passes/pass.ts';
import { BLOCKS_OPSET, TWO_BITS_OPSET } from '../passes/quantize/int4-opset.ts';
import type { DType } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel, int, makeNode } from './draft.ts';
import { raise } from './raise.ts';

// Weights in blocks with standard operators, as onnxruntime's MatMulNBitsQuantizer (1.30) writes and names them in its QDQ form:
//
//     W_DQ_Q4, W_DQ_scales, W_DQ_zero_points -> DequantizeLinear(axis, block_size) -> W
//
// W keeps its name and lies as it lay, so that what read it reads it still. Integers are unsigned where there are zero points, and
// signed around 0 where there are none.

/** Replaces the initializers of these edits, and raises the graph to the version that has blocks. */
export function rewriteStandardBlocks(model: GraphModel, edits: readonly QuantizeBlocksEdit[]): GraphModel {
  const opset = edits.some(({ bits }) => bits === 2) ? TWO_BITS_OPSET : BLOCKS_OPSET;
  const newer = raise(model, opset);
  const draft = new Draft(newer);
  for (const edit of edits) draft.push(dequantize(draft, edit));
  draft.push(...newer.graph.nodes);
  return draft.finish();
}

function dequantize(draft: Draft, edit: QuantizeBlocksEdit): Node {
  const { target, bits, blockSize, turned, scale, zeroPoint } = edit;
  const { name, shape } = target.weight;
  const [channels = 0, blocks = 0] = scale.shape;
  const dtype = integersOf(bits, zeroPoint !== undefined);
  const add = (suffix: string, tensor: Tensor) => draft.addInitializer(`${name}_DQ_${suffix}`, tensor, name);
  const inputs = [add(`Q${bits}`, levelsAsStored(edit, shape, dtype))];
  inputs.push(add('scales', turned ? turnedScales(scale) : scale));
  if (zeroPoint) {
    const zeros = async (signal?: AbortSignal) => {
      const bytes = await zeroPoint.bytes(0, zeroPoint.byteLength, signal);
      return arranged(bytes, { channels, columns: blocks, bits, turned, flip: 0 });
    };
    inputs.push(add('zero_points', deferred('', dtype, turned ? [blocks, channels] : [channels, blocks], zeros)));
  }
  const attributes = { axis: int(turned ? 0 : 1), block_size: int(blockSize) };
  return makeNode('DequantizeLinear', inputs, [name], draft.freshNodeName(`${name}_DQ_Q${bits}`), attributes);
}

const integersOf = (bits: number, unsigned: boolean): DType => `${unsigned ? 'u' : ''}int${bits as 2 | 4 | 8}`;

/** Levels in the shape of the weight. */
function levelsAsStored(
  { values, bits, zeroPoint, scale, turned }: QuantizeBlocksEdit,
  shape: readonly number[],
  dtype: DType,
): Tensor {
  const [channels = 0] = scale.shape;
  const columns = elementCount(shape) / channels;
  const flip = zeroPoint ? 0 : 2 ** (bits - 1);
  const [rowBytes, kept] = [values.byteLength / channels, (columns * bits) / 8];
  const isSame = !turned && flip === 0 && rowBytes === kept;
  if (isSame) return { ...values, dtype, shape };
  let whole: Promise<Uint8Array> | undefined;
  const arrange = async (signal?: AbortSignal) =>
    arranged(await values.bytes(0, values.byteLength, signal), { channels, columns, bits, turned, flip });
  const levels = computed('', dtype, shape, async (start, end, signal) => {
    whole ??= arrange(signal).catch(error => {
      whole = undefined;
      throw error;
    });
    const bytes = await whole;
    if (end === bytes.length) whole = undefined; // written: what is asked again is arranged again
    return bytes.subarray(start, end);
  });
  return madeFrom(values, levels);
}

interface Arrangement {
  readonly channels: number;
  /** Levels of each channel that are kept: what fills up its bytes or its last block is not. */
  readonly columns: number;
  readonly bits: number;
  readonly turned: boolean;
  /** The highest bit where unsigned levels become signed ones. */
  readonly flip: number;
}

/** Levels in rows of whole bytes as one run of levels, [channels, columns] or turned. */
function arranged(bytes: Uint8Array, { channels, columns, bits, turned, flip }: Arrangement): Uint8Array {
  const rowBytes = bytes.length / channels;
  const mask = 2 ** bits - 1;
  const into = new Uint8Array(Math.ceil((channels * columns * bits) / 8));
  for (let r = 0; r < channels; r++)
    for (let c = 0, from = 0; c < columns; c++, from += bits) {
      const level = ((bytes[r * rowBytes + (from >> 3)]! >> (from & 7)) & mask) ^ flip;
      const to = (turned ? c * channels + r : r * columns + c) * bits;
      into[to >> 3]! |= level << (to & 7);
    }
  return into;
}

/** [channels, blocks] as [blocks, channels]. */
function turnedScales(scale: Tensor): Tensor {
  const [channels = 0, blocks = 0] = scale.shape;
  const width = scale.dtype === 'fp16' ? 2 : 4;
  return deferred('', scale.dtype, [blocks, channels], async signal => {
    const bytes = await scale.bytes(0, scale.byteLength, signal);
    const into = new Uint8Array(bytes.length);
    for (let r = 0; r < channels; r++)
      for (let b = 0; b < blocks; b++)
        into.set(bytes.subarray((r * blocks + b) * width, (r * blocks + b + 1) * width), (b * channels + r) * width);
    return into;
  });
}
