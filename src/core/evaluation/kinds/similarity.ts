import { cosineOf } from '../metrics/cosine.ts';
import { similarityMetrics } from '../metrics/registry.ts';
import type { Kind } from './kind.ts';
import { measure } from './measure.ts';

/** Two texts that are run apart; the cosine of their vectors is held against a score. */
export const similarity: Kind = {
  inputs: ({ text, pair = '' }) => [{ text }, { text: pair }],
  scorer({ samples, metrics }) {
    const expected = samples.map(it => Number(it.expected));
    const vectors: Float32Array[] = new Array(2 * samples.length);
    return {
      add(place, { vector }) {
        vectors[place] = vector;
      },
      async metrics() {
        const cosines = expected.map((_, i) => cosineOf(vectors[2 * i]!, vectors[2 * i + 1]!));
        return measure(similarityMetrics, metrics, cosines, expected);
      },
    };
  },
};
