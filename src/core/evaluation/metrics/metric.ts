import type { Sentence } from '../../errors.ts';
import type { TextOutput } from '../outputs.ts';

/** How far the outputs of two models lie apart: a number for each text, or for each prediction in it. */
export interface DriftMetric {
  readonly id: string;
  readonly title: Sentence;
  /** What a model gives against itself. */
  readonly neutral: number;
  /** [] where the outputs have no such thing, or do not fit each other. */
  of(before: TextOutput, after: TextOutput): readonly number[];
}

/** How well a model does a task. Reported in points of 100, as GLUE and STS-B are. */
export interface QualityMetric {
  readonly id: string;
  readonly title: Sentence;
  readonly kind: 'similarity' | 'classification';
  /** Measured where the task names no metrics. */
  readonly usual: boolean;
  /** 1 when every prediction is right; NaN where it is undefined (a correlation with a constant). */
  of(predicted: readonly number[], expected: readonly number[]): number;
}
