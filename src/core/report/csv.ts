import { RUN } from '../kernels/floats.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Chunk } from './chunk.ts';
import { exactNumbersOf } from './numbers-of.ts';
import { shortestDecimal } from './shortest-decimal.ts';

/** Values written at a time: about 2 MB of text. */
const STEP = RUN / 2;

/**
 * CSV as RFC 4180 has it: a line for each row of the last axis (a vector is one line), no header, lines end in CR LF.
 * Every number is the shortest that reads back as the same element; NaN, Infinity and -Infinity by these names.
 */
export async function* csvChunks(tensor: Tensor, signal?: AbortSignal): AsyncGenerator<Chunk> {
  const count = elementCount(tensor.shape);
  const columns = tensor.shape.at(-1) ?? 1;
  for (let start = 0; start < count; start += STEP) {
    const end = Math.min(count, start + STEP);
    const values = await exactNumbersOf(tensor, start, end, signal);
    const text = values instanceof Float32Array ? shortestDecimal : asWritten;
    let lines = '';
    for (let i = 0; i < values.length; i++) lines += text(values[i]! as never) + ((start + i + 1) % columns === 0 ? '\r\n' : ',');
    yield { bytes: Buffer.from(lines, 'latin1'), done: end };
  }
}

const asWritten = (value: number | bigint): string => (Object.is(value, -0) ? '-0' : String(value));
