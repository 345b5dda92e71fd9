import type { Tensor } from '../../tensor/tensor.ts';
import { computed } from '../computed.ts';

/** Side of the squares that are turned at once: their 64 lines of 64 bytes fit the first-level cache. */
const SQUARE = 64;

/** A matrix of 8-bit elements turned: [R, C] becomes [C, R]. It is made whole when first read and let go when its last byte is. */
export function transposed(tensor: Tensor): Tensor {
  const [rows = 1, columns = 1] = tensor.shape;
  let turned: Uint8Array | undefined;
  return computed(tensor.name, tensor.dtype, [columns, rows], async (start, end, signal) => {
    turned ??= transposeBytes(await tensor.bytes(0, tensor.byteLength, signal), rows, columns);
    const bytes = turned.subarray(start, end);
    if (end === turned.length) turned = undefined;
    return bytes;
  });
}

/** [R, C] to [C, R], one byte an element. */
export function transposeBytes(from_RC: Uint8Array, rows: number, columns: number): Uint8Array {
  const to_CR = new Uint8Array(from_RC.length);
  for (let r0 = 0; r0 < rows; r0 += SQUARE)
    for (let c0 = 0; c0 < columns; c0 += SQUARE) {
      const r1 = Math.min(rows, r0 + SQUARE);
      const c1 = Math.min(columns, c0 + SQUARE);
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) to_CR[c * rows + r] = from_RC[r * columns + c]!;
    }
  return to_CR;
}
