/** A stored part: [inputs, terms, outputs], or [groups, inputs, outputs] for blocks. */
interface Part {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The matrix [out, width] that a sum of Kronecker products, or blocks and a thin pair, stand for, summed in f64. */
export function compactValues(
  kind: 'kronecker' | 'block-diagonal',
  parts: readonly Part[],
  out: number,
  width: number,
): Float32Array {
  const [a, b, c] = parts as [Part, Part, Part];
  return kind === 'kronecker' ? kronecker(a, b, out, width) : blocksAndPair(a, b, c, out, width);
}

/** W[a p2 + b, c q2 + d] = the sum over s of left[c, s, a] right[d, s, b]. */
function kronecker(left: Part, right: Part, out: number, width: number): Float32Array {
  const [q1, terms, p1] = left.shape as [number, number, number];
  const [q2, , p2] = right.shape as [number, number, number];
  const block = new Float64Array(p2 * q2);
  const values = new Float32Array(out * width);
  for (let a = 0; a < p1; a++)
    for (let c = 0; c < q1; c++) {
      block.fill(0);
      for (let s = 0; s < terms; s++) {
        const by = left.values[(c * terms + s) * p1 + a]!;
        for (let d = 0; d < q2; d++)
          for (let b = 0, at = (d * terms + s) * p2; b < p2; b++) block[b * q2 + d]! += by * right.values[at + b]!;
      }
      for (let b = 0; b < p2; b++) values.set(block.subarray(b * q2, (b + 1) * q2), (a * p2 + b) * width + c * q2);
    }
  return values;
}

function blocksAndPair(blocks: Part, first: Part, second: Part, out: number, width: number): Float32Array {
  const [groups, each, outputs] = blocks.shape as [number, number, number];
  const rank = second.shape[0]!;
  const values = new Float32Array(out * width);
  const row = new Float64Array(width);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < width; i++) {
      row[i] = 0;
      for (let r = 0; r < rank; r++) row[i]! += first.values[i * rank + r]! * second.values[r * out + o]!;
    }
    const g = Math.floor(o / outputs);
    if (g < groups) for (let i = 0; i < each; i++) row[g * each + i]! += blocks.values[(g * each + i) * outputs + (o % outputs)]!;
    values.set(row, o * width);
  }
  return values;
}
