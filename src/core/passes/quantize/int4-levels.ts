/** Rows of levels [rows, columns], each row packed into bytes of its own, low bits first. */
export function packLevels(levels: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
  const rowBytes = Math.ceil((columns * bits) / 8);
  const into = new Uint8Array(rows * rowBytes);
  for (let r = 0; r < rows; r++)
    for (let c = 0, at = 0; c < columns; c++, at += bits) into[r * rowBytes + (at >> 3)]! |= levels[r * columns + c]! << (at & 7);
  return into;
}

/** The other way round: [rows, columns] of rows that are `rowBytes` long. */
export function unpackLevels(bytes: Uint8Array, rows: number, columns: number, bits: number, rowBytes: number): Uint8Array {
  const mask = 2 ** bits - 1;
  const into = new Uint8Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0, at = 0; c < columns; c++, at += bits)
      into[r * columns + c] = (bytes[r * rowBytes + (at >> 3)]! >> (at & 7)) & mask;
  return into;
}
