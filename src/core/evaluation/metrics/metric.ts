import type { Sentence } from '../../errors.ts';
import type { TextOutput } from '../outputs.ts';
import type { TaskKind } from '../task.ts';

/** How far the outputs of two models lie apart: a number for each text, or for each prediction in it. */
export interface DriftMetric {
  readonly id: string;
  readonly title: Sentence;
  /** What a model gives against itself. */
  readonly neutral: number;
  /** [] where the outputs have no such thing, or do not fit each other. */
  of(before: TextOutput, after: TextOutput): readonly number[];
}

/** How well a model does a task. Reported in points of 100, as GLUE, SQuAD and CoNLL are. */
export interface QualityMetric<Predicted = number, Expected = Predicted> {
  readonly id: string;
  readonly title: Sentence;
  readonly kind: TaskKind;
  /** Measured where the task names no metrics. */
  readonly usual: boolean;
  /** 1 when every prediction is right; NaN where it is undefined (a correlation with a constant). */
  of(predicted: readonly Predicted[], expected: readonly Expected[]): number;
}

/** Predicted answers against those that are right: any of them, [] for a question without one. */
export type QuestionMetric = QualityMetric<string, readonly string[]>;

/** Tags of the words of each text. */
export type EntityMetric = QualityMetric<readonly string[]>;
