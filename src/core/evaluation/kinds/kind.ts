import type { TextOutput } from '../outputs.ts';
import type { MetricValue } from '../report.ts';
import type { Input, Prepared } from '../subject.ts';
import type { Sample, Task } from '../task.ts';

/** How a kind of task is asked and judged. */
export interface Kind {
  /** What the model reads for a sample, one after the other. */
  inputs(sample: Sample): readonly Input[];
  /** Looks at the labels first. throws 'malformed' when they do not fit, 'unsupported' when the model does not answer such questions */
  scorer(task: Task, prepared: Prepared): Scorer;
}

/** Collects a model's answers and judges them. */
export interface Scorer {
  /** `place` counts inputs, sample after sample. The output is a view of the batch's: only its vector may be kept. */
  add(place: number, output: TextOutput): void;
  /** `run` for what needs further runs. */
  metrics(run: RunMore): Promise<readonly MetricValue[]>;
}

/** The caller's limits for further runs: texts run together, and a look at whether to go on. */
export interface RunMore {
  readonly batch: number;
  /** Called before each run. throws 'cancelled' */
  step(): void;
}
