/** Rows of levels [rows, columns] of 8, 4 or 2 bits, each row packed into bytes of its own, low bits first. */
export function packLevels(levels: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
  const each = 8 / bits;
  const rowBytes = Math.ceil(columns / each);
  const into = new Uint8Array(rows * rowBytes);
  if (columns % each !== 0) {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++)
        into[r * rowBytes + Math.floor(c / each)]! |= levels[r * columns + c]! << (bits * (c % each));
    return into;
  }
  for (let byte = 0, from = 0; byte < into.length; byte++, from += each) {
    let packed = 0;
    for (let i = 0; i < each; i++) packed |= levels[from + i]! << (bits * i);
    into[byte] = packed;
  }
  return into;
}
