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

/** The last two numbers of a shape; 0 or less where it is left to be inferred or computed. */
async function lastTwo(wiring: Wiring, shape: string, signal?: AbortSignal): Promise<[number, number] | undefined> {
  const whole = constantOf(wiring, shape)?.tensor;
  if (whole) {
    const sizes = await int64s(whole, signal);
    return sizes && sizes.length >= 4 ? [sizes.at(-2)!, sizes.at(-1)!] : undefined;
  }
  const parts = wiring.producer.get(shape);
  if (parts?.opType !== 'Concat' || parts.inputs.length < 4) return undefined;
  const [heads, width] = await Promise.all(parts.inputs.slice(-2).map(part => single(wiring, part, signal)));
  return [heads ?? 0, width ?? 0];
}

async function single(wiring: Wiring, value: string, signal?: AbortSignal): Promise<number | undefined> {
  const maker = wiring.producer.get(value);
  const tensor = constantOf(wiring, maker?.opType === 'Unsqueeze' ? (maker.inputs[0] ?? '') : value)?.tensor;
  const numbers = tensor && (await int64s(tensor, signal));
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** Shapes are int64 tensors of a few numbers. */
async function int64s(tensor: Tensor, signal?: AbortSignal): Promise<number[] | undefined> {
  if (tensor.dtype !== 'int64' || tensor.byteLength > 64) return undefined;
  const bytes = await tensor.bytes(0, tensor.byteLength, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 8 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}
