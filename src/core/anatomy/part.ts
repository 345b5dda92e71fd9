import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Linear } from './anatomy.ts';
import { type Runs, rowsOf } from './rows.ts';

/** Some outputs of a stored matrix as a matrix of their own, whichever way it lies: the query of a fused query-key-value. */
export function partOf(id: string, whole: Linear, runs: Runs): Linear {
  const part = rowsOf(id, whole, runs);
  if (!whole.transposed) return part;
  const { factors } = whole;
  return {
    ...part,
    weight: columnsOf(whole.weight, whole.out, runs),
    ...(factors && { factors: { first: factors.first, second: partOf(`${id}.second`, factors.second, runs) } }),
  };
}

/** Columns of a tensor whose last axis has one for each of `columns` outputs; the tensor itself when it has not, or they do not begin at bytes. */
function columnsOf(tensor: Tensor, columns: number, runs: Runs): Tensor {
  const bits = dtypes[tensor.dtype].bits;
  const aligned = (columns * bits) % 8 === 0 && runs.every(([start, end]) => (start * bits) % 8 === 0 && (end * bits) % 8 === 0);
  if (tensor.shape.length < 2 || tensor.shape.at(-1) !== columns || !aligned) return tensor;
  const rows = elementCount(tensor.shape) / columns;
  const stride = (columns * bits) / 8;
  const spans = runs.map(([start, end]) => [(start * bits) / 8, (end * bits) / 8] as const);
  const row = spans.reduce((sum, [start, end]) => sum + end - start, 0);
  const count = runs.reduce((sum, [start, end]) => sum + end - start, 0);
  const byteLength = rows * row;
  return {
    name: `${tensor.name}[:, ${runs[0]![0]}:${runs.at(-1)![1]}]`,
    dtype: tensor.dtype,
    shape: [...tensor.shape.slice(0, -1), count],
    byteLength,
    async bytes(start = 0, end = byteLength, signal?: AbortSignal) {
      if (end <= start || row === 0) return new Uint8Array(0);
      const [first, last] = [Math.floor(start / row), Math.ceil(end / row)];
      const read = await tensor.bytes(first * stride, last * stride, signal);
      const bytes = new Uint8Array((last - first) * row);
      let at = 0;
      for (let index = 0; index < last - first; index++)
        for (const [from, to] of spans) {
          bytes.set(read.subarray(index * stride + from, index * stride + to), at);
          at += to - from;
        }
      return bytes.subarray(start - first * row, end - first * row);
    },
  };
}
