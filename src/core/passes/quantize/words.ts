// compressed-tensors packs integers into words of 32 bits without gaps: bit i * bits of a row is the lowest of its element i.

/** Words of a row of so many elements. */
export const wordsOf = (columns: number, bits: number): number => Math.ceil((columns * bits) / 32);

/** Rows of levels [rows, columns] as words [rows, wordsOf(columns)]. */
export function packWords(levels: Uint8Array, rows: number, columns: number, bits: number): Uint32Array {
  const width = wordsOf(columns, bits);
  const words = new Uint32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const row = r * width;
    for (let c = 0, bit = 0; c < columns; c++, bit += bits) {
      const level = levels[r * columns + c]!;
      const word = row + (bit >>> 5);
      const shift = bit & 31;
      words[word]! |= level << shift;
      if (shift + bits > 32) words[word + 1]! |= level >>> (32 - shift);
    }
  }
  return words;
}

/** The other way round. */
export function unpackWords(words: Uint32Array, rows: number, columns: number, bits: number): Uint8Array {
  const width = wordsOf(columns, bits);
  const mask = 2 ** bits - 1;
  const levels = new Uint8Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const row = r * width;
    for (let c = 0, bit = 0; c < columns; c++, bit += bits) {
      const shift = bit & 31;
      let level = words[row + (bit >>> 5)]! >>> shift;
      if (shift + bits > 32) level |= words[row + (bit >>> 5) + 1]! << (32 - shift);
      levels[r * columns + c] = level & mask;
    }
  }
  return levels;
}

/** [rows, columns] turned. */
export function turned(levels: Uint8Array, rows: number, columns: number): Uint8Array {
  const into = new Uint8Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) into[c * rows + r] = levels[r * columns + c]!;
  return into;
}
