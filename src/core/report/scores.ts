import type { Sentence } from '../errors.ts';

// What each unit of a model is worth: plain data, as tree.ts.

/** How far the model's sentence vectors turn when the units with the lowest scores go and nothing is repaired. */
export interface LossCurve {
  /** Of all units, ascending; what was measured. At 0 nothing is lost. */
  readonly fraction: readonly number[];
  /** 1 - cosine to the vectors of the model as it is, mean over texts. */
  readonly drift: readonly number[];
  /** Sentences on which it was measured. */
  readonly texts: number;
}

/** The answer of `scores`. */
export interface Scores {
  readonly version: 1;
  readonly pass: 'prune-heads' | 'prune-neurons' | 'prune-layers';
  readonly by: string;
  /** What the numbers say. */
  readonly meaning: Sentence;
  /** One number a unit, in the model's order: larger is needed more. Of 'prune-layers' each layer has one. */
  readonly layers: readonly { readonly layer: number; readonly scores: readonly number[] }[];
  /** Layers that cannot lose any of these units; they have no scores. */
  readonly skipped: readonly { readonly target: string; readonly reason: string; readonly sentence: Sentence }[];
  /** Sentences that the model ran on; 0 where it did not run. */
  readonly texts: number;
  /** When the lowest of the whole model go, never the last of a layer. */
  readonly loss?: LossCurve;
  /** When every layer loses the same share: of neurons. */
  readonly evenLoss?: LossCurve;
}
