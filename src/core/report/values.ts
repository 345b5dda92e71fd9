import { fail, throwIfCancelled } from '../errors.ts';
import { RUN } from '../kernels/floats.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { ValuesPage, ValuesRequest } from './inside.ts';
import { exactNumbersOf } from './numbers-of.ts';
import { clipped } from './window.ts';

/** Values on a page at most. */
const MOST_VALUES = 10_000;

/**
 * A window of the last two axes, as the file stores them: neither turned nor multiplied out.
 * throws 'usage' for an index or a window outside the tensor, 'limit' for more than a page, 'unsupported' for text and complex numbers
 */
export async function valuesPage(tensor: Tensor, request: ValuesRequest, signal?: AbortSignal): Promise<ValuesPage> {
  const columns = tensor.shape.at(-1) ?? 1;
  const rows = tensor.shape.at(-2) ?? 1;
  if (elementCount(tensor.shape) === 0) return { window: { top: 0, bottom: 0, left: 0, right: 0 }, values: [] };
  const base = sliceOf(tensor, request.leading) * rows * columns;
  const window = clipped(request.window, { rows, columns });
  const { top, bottom, left, right } = window;
  const count = (bottom - top) * (right - left);
  if (count > MOST_VALUES)
    throw fail('limit', '{count} values were asked for; a page has at most {most}.', { count, most: MOST_VALUES });
  // Few reads: whole rows where they are short.
  const step = Math.max(1, Math.floor(RUN / columns));
  const values: (number | string)[][] = [];
  for (let first = top; first < bottom; first += step) {
    throwIfCancelled(signal);
    const last = Math.min(bottom, first + step);
    const start = base + first * columns + left;
    const run = await exactNumbersOf(tensor, start, base + (last - 1) * columns + right, signal);
    for (let row = first; row < last; row++) {
      const at = (row - first) * columns;
      values.push(Array.from(run.subarray(at, at + right - left) as ArrayLike<number | bigint>, shown));
    }
  }
  return { window, values };
}

/** What JSON carries: numbers where it can. */
function shown(value: number | bigint): number | string {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return Number.isFinite(value) ? value : String(value);
}

/** Which matrix of the tensor the leading indices mean, counted through the axes but the last two. */
function sliceOf({ shape }: Tensor, leading: readonly number[]): number {
  const sizes = shape.slice(0, -2);
  const fits =
    leading.length === sizes.length && leading.every((at, axis) => Number.isInteger(at) && at >= 0 && at < sizes[axis]!);
  if (!fits)
    throw fail('usage', 'The index [{leading}] does not fit the leading axes [{sizes}].', {
      leading: leading.slice(0, 12).join(', '),
      sizes: sizes.slice(0, 12).join(', '),
    });
  return leading.reduce((slice, at, axis) => slice * sizes[axis]! + at, 0);
}
