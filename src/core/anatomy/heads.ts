import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { constantOf } from './constant.ts';
import type { Wiring } from './wiring.ts';

/**
 * The width of a head, from the shape that splits a matrix's output into heads: [batch, sequence, heads, width]. A shape is one
 * constant, or a Concat whose parts may be computed. undefined when no split says it.
 */
export async function headWidth(
  wiring: Wiring,
  splits: readonly Node[],
  out: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  for (const node of splits) {
    const ends = await lastTwo(wiring, node.inputs[1] ?? '', signal);
    if (!ends) continue;
    const [heads, width] = ends;
    if (width > 0 && width < out && out % width === 0 && (heads <= 0 || heads * width === out)) return width;
    if (width > 0 && width === out && heads === 1) return width;
    if (width <= 0 && heads > 0 && out % heads === 0) return out / heads;
    if (width === out && heads <= 0) return width;
  }
  return undefined;
}

/** The last two numbers of a shape; 0 or less where it is left to be inferred or computed. TensorFlow computes shapes in int32 and casts. */
async function lastTwo(wiring: Wiring, shape: string, signal?: AbortSignal): Promise<[number, number] | undefined> {
  const whole = constantOf(wiring, shape)?.tensor;
  if (whole) {
    const sizes = await integersOf(whole, signal);
    return sizes && sizes.length >= 4 ? [sizes.at(-2)!, sizes.at(-1)!] : undefined;
  }
  let parts = wiring.producer.get(shape);
  if (parts?.opType === 'Cast') parts = wiring.producer.get(parts.inputs[0] ?? '');
  if (parts?.opType !== 'Concat' || parts.inputs.length < 4) return undefined;
  const [heads, width] = await Promise.all(parts.inputs.slice(-2).map(part => single(wiring, part, signal)));
  return [heads ?? 0, width ?? 0];
}

async function single(wiring: Wiring, value: string, signal?: AbortSignal): Promise<number | undefined> {
  const maker = wiring.producer.get(value);
  const tensor = constantOf(wiring, maker?.opType === 'Unsqueeze' ? (maker.inputs[0] ?? '') : value)?.tensor;
  const numbers = tensor && (await integersOf(tensor, signal));
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** A tensor of a few whole numbers. */
async function integersOf(tensor: Tensor, signal?: AbortSignal): Promise<number[] | undefined> {
  if ((tensor.dtype !== 'int64' && tensor.dtype !== 'int32') || tensor.byteLength > 64) return undefined;
  const bytes = await tensor.bytes(0, tensor.byteLength, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at =
    tensor.dtype === 'int64' ? (i: number) => Number(view.getBigInt64(i * 8, true)) : (i: number) => view.getInt32(i * 4, true);
  return Array.from({ length: bytes.byteLength / (tensor.dtype === 'int64' ? 8 : 4) }, (_, index) => at(index));
}
