import { sentence } from '../../errors.ts';
import type { DriftMetric } from './metric.ts';

/** The cosine of two vectors of the same length; 1 for two zero vectors, 0 when one is. NaN where a value is. */
export function cosineOf(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  if (aa === 0 || bb === 0) return aa === bb ? 1 : 0;
  return Math.max(-1, Math.min(1, dot / Math.sqrt(aa * bb))) || (dot === 0 ? 0 : Number.NaN);
}

/** Of the vectors of a text: the mean of its token vectors, or what the task pools. */
export const cosine: DriftMetric = {
  id: 'cosine',
  title: sentence('Cosine of the text’s vectors'),
  neutral: 1,
  of: (before, after) => (before.vector.length === after.vector.length ? [cosineOf(before.vector, after.vector)] : []),
};
