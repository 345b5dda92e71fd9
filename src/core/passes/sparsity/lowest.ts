import { groupOf, type Share, zerosOf } from './share.ts';

// O out, I in

/** Marks the `count` lowest of the scores, earlier ones first among equals. Scores are not negative and not NaN. */
export function markLowest(scores: Float32Array, count: number, marks: Uint8Array): void {
  if (count <= 0) return;
  const sorted = Float32Array.from(scores).sort();
  const last = sorted[Math.min(count, sorted.length) - 1]!;
  let below = 0;
  for (const score of scores) if (score < last) below++;
  for (let i = 0, equal = count - below; i < scores.length; i++) {
    const score = scores[i]!;
    if (score < last || (score === last && equal-- > 0)) marks[i] = 1;
  }
}

/** In each group of a row the lowest scores are marked; what a pattern leaves over at the end of a row is not. */
export function markInGroups(scores: Float32Array, marks: Uint8Array, size: number, kept: number): void {
  const order = Array.from({ length: size }, (_, i) => i);
  for (let at = 0; at + size <= scores.length; at += size) {
    order.sort((a, b) => scores[at + a]! - scores[at + b]! || a - b);
    for (let i = 0; i < size - kept; i++) marks[at + order[i]!] = 1;
  }
}

/** 1 for each weight [out, in] that goes, by its score: the lowest of the matrix, of each row where `byRow`, or of each group. */
export function lowestOf(score_OI: Float32Array, out: number, wide: number, share: Share, byRow = false): Uint8Array {
  const marks = new Uint8Array(out * wide);
  const group = groupOf[share.pattern];
  const zeros = zerosOf(out, wide, share);
  if (!group && !byRow) {
    markLowest(score_OI, zeros, marks);
    return marks;
  }
  for (let o = 0; o < out; o++) {
    const [from, to] = [o * wide, (o + 1) * wide];
    const [scores, row] = [score_OI.subarray(from, to), marks.subarray(from, to)];
    if (group) markInGroups(scores, row, group.size, group.kept);
    // Rows share what the whole matrix loses, as evenly as whole numbers go.
    else markLowest(scores, Math.floor((zeros * (o + 1)) / out) - Math.floor((zeros * o) / out), row);
  }
  return marks;
}
