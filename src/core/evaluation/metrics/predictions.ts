import type { TextOutput } from '../outputs.ts';

/** The rows of logits of two models beside each other; [] where they predict nothing, a single number, or not the same things. */
export function predictions(before: TextOutput, after: TextOutput): (readonly [Float32Array, Float32Array])[] {
  const { logits: p, classes } = before;
  const { logits: q } = after;
  if (!p || !q || classes < 2 || classes !== after.classes || p.length !== q.length) return [];
  return Array.from({ length: p.length / classes }, (_, row) => {
    const [start, end] = [row * classes, (row + 1) * classes];
    return [p.subarray(start, end), q.subarray(start, end)] as const;
  });
}
