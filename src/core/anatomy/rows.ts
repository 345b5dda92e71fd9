import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Linear } from './anatomy.ts';

/** Rows [start, end), one run or several. */
export type Runs = readonly (readonly [number, number])[];

/** Some rows of a stored matrix as a matrix of their own: the query of a fused query-key-value. */
export function rowsOf(id: string, whole: Linear, runs: Runs, bias?: Tensor): Linear {
  const { bias: ownBias, scale, zeroPoint, sums: _, factors, ...rest } = whole;
  const of = (tensor: Tensor | undefined) => tensor && tensorRows(tensor, whole.out, runs);
  const parts = { bias: bias ?? of(ownBias), scale: of(scale), zeroPoint: of(zeroPoint) };
  return {
    ...rest,
    id,
    weight: tensorRows(whole.weight, whole.out, runs),
    ...(parts.bias && { bias: parts.bias }),
    ...(parts.scale && { scale: parts.scale }),
    ...(parts.zeroPoint && { zeroPoint: parts.zeroPoint }),
    out: runs.reduce((sum, [start, end]) => sum + end - start, 0),
    within: whole,
    rows: runs,
    ...(factors && { factors: { first: factors.first, second: rowsOf(`${id}.second`, factors.second, runs, bias) } }),
  };
}

/** Rows of a tensor that has one for each of `rows` outputs; the tensor itself when it has not, or they do not begin at bytes. */
function tensorRows(tensor: Tensor, rows: number, runs: Runs): Tensor {
  const bits = (elementCount(tensor.shape) / rows) * dtypes[tensor.dtype].bits;
  if (tensor.shape[0] !== rows || bits % 8 !== 0) return tensor;
  const row = bits / 8;
  const count = runs.reduce((sum, [start, end]) => sum + end - start, 0);
  const byteLength = count * row;
  return {
    name: `${tensor.name}[${runs[0]![0]}:${runs.at(-1)![1]}]`,
    dtype: tensor.dtype,
    shape: [count, ...tensor.shape.slice(1)],
    byteLength,
    async bytes(start = 0, end = byteLength, signal?: AbortSignal) {
      const bytes = new Uint8Array(Math.max(0, end - start));
      let at = 0;
      for (const [first, last] of runs) {
        const length = (last - first) * row;
        const [from, to] = [Math.max(start - at, 0), Math.min(end - at, length)];
        if (from < to) bytes.set(await tensor.bytes(first * row + from, first * row + to, signal), at + from - start);
        at += length;
      }
      return bytes;
    },
  };
}
