/** How often each row of a table of words is looked up on a text, and `more`: words that it lacks still count. */
export function tokenCounts(rows: number, texts: readonly (readonly number[])[], more = 1): Float64Array {
  const counts = new Float64Array(rows).fill(more);
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
