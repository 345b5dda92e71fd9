import { HeadroomError } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Packing } from './anatomy.ts';
import type { Organ } from './modules.ts';
import { statedBits } from './stated-bits.ts';

// How quantizing tools keep the matrix [out, in] of a module m in safetensors:
//   compressed-tensors  m.weight_packed int32 [out, in * bits / 32], weight_scale, weight_zero_point, weight_g_idx, weight_shape int64 [2]
//   GPTQ                m.qweight int32 [in * bits / 32, out], qzeros, scales [groups, out], g_idx int32 [in]
//   AWQ                 m.qweight int32 [in, out * bits / 32], qzeros, scales [groups, out]
//   bitsandbytes, 4     m.weight uint8 [out * in / 2, 1], weight.absmax, weight.quant_map, weight.quant_state.bitsandbytes__nf4 (JSON)
//   bitsandbytes, 8     m.weight int8 [out, in], SCB f32 [out] (127 times the scale), weight_format
//   quanto              m.weight._data int8 [out, in], weight._scale; with 4 bits weight._data._data uint8, in groups
//   torchao             m._weight_qdata or m.weight:qdata, int8 or fp8 [out, in], uint8 [out, in / 2] or tiles of int32 with 4 bits; scales

/** Ends of tensor names that belong to one matrix, beside weight and bias. */
export const packedParts = [
  'weight_(?:packed|shape|g_idx|global_scale|scale_inv)',
  '(?:input|output)_(?:scale|zero_point|global_scale)',
  'qweight|qzeros|scales|g_idx|SCB|weight_format',
  'weight\\.(?:absmax|quant_map|nested_absmax|nested_quant_map|quant_state\\.bitsandbytes__\\w+)',
  'weight\\._(?:data|data\\._data|scale|shift|zeropoint)',
  '_?weight[_:](?:qdata|scale|zero_point|scale_and_zero|per_tensor_scale|act_pre_scale)',
].join('|');

/** A matrix whose tensor does not have its shape. */
export interface Packed {
  readonly weight: Tensor;
  readonly out: number;
  readonly in: number;
  readonly transposed: boolean;
  readonly packing: Packing;
}

/** The packed matrices among organs. Reads the shapes that some tools keep in small tensors of their own. */
export async function packedIn(model: Model, organs: Iterable<Organ>, signal?: AbortSignal): Promise<Map<Organ, Packed>> {
  const found = new Map<Organ, Packed>();
  const bitsOf = statedBits(model);
  for (const organ of organs) {
    if (!mayBePacked(organ)) continue;
    const packed =
      inWords(model, organ) ??
      inQwords(model, organ) ??
      inTensors(organ) ??
      (await inShapedWords(model, organ, bitsOf, signal)) ??
      (await inBlocks(organ, signal));
    if (packed) found.set(organ, packed);
  }
  return found;
}

/** Every packing keeps tensors beside weight and bias. */
export function mayBePacked(organ: Organ): boolean {
  for (const part in organ) if (part !== 'weight' && part !== 'bias' && part !== '') return true;
  return false;
}

const rest = (organ: Organ, weight: Tensor): Tensor[] =>
  Object.entries(organ).flatMap(([part, tensor]) => (!tensor || tensor === weight || part === 'bias' ? [] : tensor));

/** compressed-tensors without weight_shape, as nvfp4 and mxfp4 are: bytes of two numbers, or words as wide as config.json says. */
function inWords({ config }: Model, organ: Organ): Packed | undefined {
  const weight = organ.weight_packed;
  if (weight?.shape.length !== 2 || organ.weight_shape) return undefined;
  const bits = numberAt(config, /^num_bits$/) ?? 4;
  const [out, words] = weight.shape as [number, number];
  const found = packed(organ, weight, out, Math.floor((words * dtypes[weight.dtype].bits) / bits), 'compressed-tensors', bits);
  return weight.dtype === 'uint8' ? { ...found, packing: { ...found.packing, dtype: `fp${bits}` } } : found;
}

/** compressed-tensors: weight_shape says what config.json may not. */
async function inShapedWords(
  { config }: Model,
  organ: Organ,
  bitsOf: (module: string) => number | undefined,
  signal?: AbortSignal,
): Promise<Packed | undefined> {
  const { weight_packed: weight, weight_shape: shape } = organ;
  if (!weight || !shape || weight.shape.length !== 2 || shape.byteLength !== 16 || shape.dtype !== 'int64') return undefined;
  const bytes = await smallBytes(shape, signal);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [out, width] = [Number(view.getBigInt64(0, true)), Number(view.getBigInt64(8, true))];
  const words = weight.shape[1]!;
  const stated = bitsOf(weight.name.replace(/\.weight_packed$/, '')) ?? numberAt(config, /^num_bits$/);
  const isStated = stated !== undefined && Math.ceil((stated * width) / 32) === words;
  const bits = isStated ? stated : Math.floor((32 * words) / Math.max(1, width));
  return out === weight.shape[0] && bits >= 1 && bits <= 8
    ? packed(organ, weight, out, width, 'compressed-tensors', bits)
    : undefined;
}

/** GPTQ packs the inputs, AWQ the outputs. */
function inQwords({ config }: Model, organ: Organ): Packed | undefined {
  const { qweight: weight, scales, g_idx: order } = organ;
  if (weight?.shape.length !== 2 || scales?.shape.length !== 2) return undefined;
  const [rows, columns] = weight.shape as [number, number];
  const out = scales.shape[1]!;
  if (columns < out) return { ...packed(organ, weight, out, rows, 'awq', Math.round((32 * columns) / out)), transposed: true };
  const bits = numberAt(config, /^bits$/) ?? (order ? Math.round((32 * rows) / order.shape[0]!) : 4);
  return { ...packed(organ, weight, out, Math.floor((32 * rows) / bits), 'gptq', bits), transposed: true };
}

/** Integers or fp8 in a matrix of its shape, or in an order whose length at least is known. */
function inTensors(organ: Organ): Packed | undefined {
  if (organ.SCB && organ.weight?.shape.length === 2) return narrow(organ, organ.weight, 'bitsandbytes');
  const data = organ['weight._data'];
  if (data?.shape.length === 2 && dtypes[data.dtype].bits === 8 && data.dtype !== 'uint8') return narrow(organ, data, 'quanto');
  const groups = organ['weight._data._data'];
  if (groups) return flat(organ, groups, 'quanto');
  const key = Object.keys(organ).find(part => /^_?weight[_:]qdata$/.test(part));
  const weight = key ? organ[key] : undefined;
  if (weight?.dtype === 'int32') return flat(organ, weight, 'torchao');
  return weight?.shape.length === 2 ? narrow(organ, weight, 'torchao') : undefined;
}

/** 4 bits each in an order of the tool's own: the bias says how many outputs they are. */
function flat(organ: Organ, weight: Tensor, method: Packing['method']): Packed | undefined {
  const [out, count] = [organ.bias?.shape[0] ?? 0, weight.byteLength * 2];
  return out > 0 && count % out === 0 ? packed(organ, weight, out, count / out, method, 4) : undefined;
}

/** 4 bits of bitsandbytes: the shape stands in a JSON of some hundred bytes. */
async function inBlocks(organ: Organ, signal?: AbortSignal): Promise<Packed | undefined> {
  const { weight } = organ;
  const state = Object.entries(organ).find(([part]) => part.startsWith('weight.quant_state.'))?.[1];
  const bytes = weight && state && state.byteLength < 10_000 ? await smallBytes(state, signal) : undefined;
  if (!weight || !bytes) return undefined;
  try {
    const { shape, quant_type: type } = JSON.parse(new TextDecoder().decode(bytes)) as { shape?: unknown; quant_type?: unknown };
    if (!Array.isArray(shape) || shape.length !== 2 || !shape.every(size => Number.isSafeInteger(size) && size > 0))
      return undefined;
    const [out, width] = shape as [number, number];
    if (Math.ceil((out * width) / 2) !== elementCount(weight.shape)) return undefined;
    const found = packed(organ, weight, out, width, 'bitsandbytes', 4);
    return { ...found, packing: { ...found.packing, dtype: type === 'fp4' ? 'fp4' : 'nf4' } };
  } catch {
    return undefined;
  }
}

function narrow(organ: Organ, weight: Tensor, method: Packing['method']): Packed {
  const bits = method === 'torchao' && weight.dtype === 'uint8' ? 4 : 8;
  const [out, columns] = weight.shape as [number, number];
  const found = packed(organ, weight, out, (columns * 8) / bits, method, bits);
  return bits === 8 ? { ...found, packing: { ...found.packing, dtype: weight.dtype } } : found;
}

function packed(organ: Organ, weight: Tensor, out: number, width: number, method: Packing['method'], bits: number): Packed {
  const packing = { method, bits, dtype: `int${bits}`, tensors: rest(organ, weight) };
  return { weight, out, in: width, transposed: false, packing };
}

async function smallBytes(tensor: Tensor, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await tensor.bytes(0, tensor.byteLength, signal);
  } catch (error) {
    if (error instanceof HeadroomError && error.code !== 'cancelled') return undefined;
    throw error;
  }
}

/** The first number with such a name anywhere in quantization_config. */
function numberAt(config: Model['config'], name: RegExp): number | undefined {
  const waiting: unknown[] = [config.quantization_config];
  for (let steps = 0; waiting.length > 0 && steps < 200; steps++) {
    const next = waiting.shift();
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, value] of Object.entries(next)) {
      if (name.test(key) && Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 8) return value as number;
      waiting.push(value);
    }
  }
  return undefined;
}
