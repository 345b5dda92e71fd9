import { fail, sentence } from '../../errors.ts';
import { classOf } from '../drift.ts';
import { classesOf } from '../labels.ts';
import { classificationMetrics } from '../metrics/registry.ts';
import type { Kind } from './kind.ts';
import { measure } from './measure.ts';
import { plain } from './plain.ts';

/** The class with the largest logit, held against a label. */
export const classification: Kind = {
  inputs: plain.inputs,
  scorer(task, { chosen, subject, runner }) {
    if (chosen.logits === undefined || chosen.classes < 2)
      throw fail(
        'unsupported',
        'This model predicts no classes, and the task has labels.',
        {},
        { file: runner.name, hint: sentence('Measure it with text:FILE or with pairs of sentences.') },
      );
    const expected = classesOf(task, chosen.classes, subject.config);
    const predicted: number[] = new Array(expected.length);
    return {
      add(place, output) {
        predicted[place] = classOf(output) ?? -1;
      },
      metrics: async () => measure(classificationMetrics, task.metrics, predicted, expected),
    };
  },
};
