/**
 * How often each row of a table of words is looked up on a text, and half as much again over all rows evenly: words that the text lacks
 * still count. All-MiniLM-L6-v2 at rank 192, from 256 sentences, where that is 0.06 more for each row: cosine 0.977 with 0.03 and
 * 0.978 with 0.1 more, 0.960 with 1; from 2,048, where it is 0.49: 0.979 with 0.3, 0.978 with 1.
 */
export function tokenCounts(rows: number, texts: readonly (readonly number[])[]): Float64Array {
  const tokens = texts.reduce((sum, { length }) => sum + length, 0);
  const counts = new Float64Array(rows).fill(tokens / (2 * rows));
  for (const ids of texts) for (const id of ids) if (id < rows) counts[id]!++;
  return counts;
}

/** Rows from `first` on [rows, width], each times the root of its count: sums of their products count it so often. */
export function countedRows(values: Float32Array, width: number, counts: ArrayLike<number>, first: number): Float32Array {
  const into = new Float32Array(values.length);
  for (let row = 0; row < values.length / width; row++) {
    const by = Math.sqrt(counts[first + row]!);
    for (let i = row * width; i < (row + 1) * width; i++) into[i] = values[i]! * by;
  }
  return into;
}
