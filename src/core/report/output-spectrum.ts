import type { Sentence } from '../errors.ts';

/** What a matrix of fewer ranks would lose of what it gives on text. Plain data, as tree.ts. */
export interface OutputSpectrum {
  readonly version: 1;
  /** The organ: "encoder.layer.3.attention.self.query". */
  readonly id: string;
  /** Texts that the model ran on, and their tokens. */
  readonly texts: number;
  readonly tokens: number;
  /**
   * [rank - 1], up to the full rank: root of the share of the outputs' energy that the best matrix of this rank loses, 0 to 1. Energy is
   * about the mean where the matrix has a bias, which takes up the mean.
   */
  readonly errors: readonly number[];
  /** What a person must know to read it. */
  readonly notes: readonly Sentence[];
}
