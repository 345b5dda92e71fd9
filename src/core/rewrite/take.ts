import { computedInto } from '../passes/computed.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';

/** Places [start, end) along an axis, ascending. */
export type Runs = readonly (readonly [number, number])[];

/** Bytes of the source that are in memory at a time. */
const pieceBytes = 1024 * 1024;

/** What stays of `count` places when some go. */
export function keptRuns(count: number, removed: readonly number[], width = 1): Runs {
  const gone = new Set(removed);
  const runs: [number, number][] = [];
  for (let place = 0; place < count; place++) {
    if (gone.has(place)) continue;
    const last = runs.at(-1);
    if (last?.[1] === place * width) last[1] += width;
    else runs.push([place * width, (place + 1) * width]);
  }
  return runs;
}

/** The tensor with these places along one axis only, read as it is wanted. throws RangeError for types that are packed below a byte */
export function take(tensor: Tensor, axis: number, runs: Runs): Tensor {
  const { name, dtype, shape } = tensor;
  const { bits } = dtypes[dtype];
  if (bits % 8 !== 0) throw new RangeError(`${name}: places of ${dtype} do not begin at bytes`);
  const inner = (elementCount(shape.slice(axis + 1)) * bits) / 8;
  const stride = shape[axis]! * inner;
  const spans = runs.map(([start, end]) => [start * inner, end * inner] as const);
  const row = spans.reduce((sum, [start, end]) => sum + end - start, 0);
  const count = runs.reduce((sum, [start, end]) => sum + end - start, 0);
  const kept = shape.map((size, index) => (index === axis ? count : size));
  return computedInto(name, dtype, kept, async (into, start, signal) => {
    for (let done = 0; done < into.length; ) {
      const at = start + done;
      const first = Math.floor(at / row);
      const rows = Math.min(Math.ceil(((at % row) + into.length - done) / row), Math.max(1, Math.floor(pieceBytes / stride)));
      const part = into.subarray(done, Math.min(into.length, (first + rows) * row - start));
      if (rows === 1) await oneRow(tensor, first * stride, spans, part, at - first * row, signal);
      else {
        const source = await tensor.bytes(first * stride, (first + rows) * stride, signal);
        copyRows(source, stride, spans, row, part, at - first * row);
      }
      done += part.length;
    }
  });
}

/** Bytes [from, from + into.length) of the kept part of one row: only what is kept is read. */
async function oneRow(
  tensor: Tensor,
  rowStart: number,
  spans: readonly (readonly [number, number])[],
  into: Uint8Array,
  from: number,
  signal?: AbortSignal,
): Promise<void> {
  let at = 0;
  for (const [start, end] of spans) {
    const [first, last] = [Math.max(from, at), Math.min(from + into.length, at + end - start)];
    if (first < last) {
      const bytes = await tensor.bytes(rowStart + start + first - at, rowStart + start + last - at, signal);
      into.set(bytes, first - from);
    }
    at += end - start;
  }
}

function copyRows(
  source: Uint8Array,
  stride: number,
  spans: readonly (readonly [number, number])[],
  row: number,
  into: Uint8Array,
  from: number,
): void {
  for (let begin = -from, base = 0; begin < into.length; begin += row, base += stride) {
    let at = begin;
    for (const [start, end] of spans) {
      const [first, last] = [Math.max(0, at), Math.min(into.length, at + end - start)];
      if (first < last) into.set(source.subarray(base + start + first - at, base + start + last - at), first);
      at += end - start;
    }
  }
}
