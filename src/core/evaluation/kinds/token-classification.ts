import { fail, sentence } from '../../errors.ts';
import { entityMetrics } from '../metrics/registry.ts';
import { argmax } from '../outputs.ts';
import type { Prepared } from '../subject.ts';
import type { Task } from '../task.ts';
import type { Kind } from './kind.ts';
import { measure } from './measure.ts';

/**
 * A tag for each word: the largest logit at its first token. Words that were cut off count as outside (O).
 * source  Devlin et al. 2019, section 5.3: the first sub-token stands for the word
 */
export const tokenClassification: Kind = {
  inputs: ({ text, words = [] }) => [{ text, words }],
  scorer(task, { chosen, subject, runner, encodings }) {
    const { samples, metrics } = task;
    if (chosen.logits === undefined || !chosen.isPerToken || chosen.classes < 2)
      throw fail(
        'unsupported',
        'This model gives no tags to words, and the task has them.',
        {},
        { file: runner.name, hint: sentence('Measure it with text:FILE.') },
      );
    const names = namesOf(subject, chosen.classes);
    checkTags(task, names);
    const expected = samples.map(({ tags = [] }) => tags.map(tag => nameOf(tag, names)!));
    const predicted = samples.map(({ words = [] }) => words.map(() => 'O'));
    return {
      add(place, { logits, classes }) {
        encodings[place]!.starts!.forEach((token, word) => {
          predicted[place]![word] = names[argmax(logits!.subarray(token * classes, (token + 1) * classes))]!;
        });
      },
      metrics: async () => measure(entityMetrics, metrics, predicted, expected),
    };
  },
};

/** id2label of config.json by number. */
function namesOf({ config }: Prepared['subject'], classes: number): string[] {
  const named = (config.id2label ?? {}) as Record<string, unknown>;
  return Array.from({ length: classes }, (_, id) => String(named[id] ?? `LABEL_${id}`));
}

/** A tag is a name, or a class by number. */
const nameOf = (tag: string, names: readonly string[]): string | undefined =>
  names.includes(tag) ? tag : /^\d+$/.test(tag) ? names[Number(tag)] : undefined;

function checkTags({ samples, file }: Task, names: readonly string[]): void {
  for (const { tags = [], words = [], line } of samples)
    for (const [place, tag] of tags.entries()) {
      if (nameOf(tag, names) !== undefined) continue;
      throw fail(
        'malformed',
        'Line {line}: the tag “{tag}” is none of the model’s ({names}).',
        { line: line + place, tag: `${words[place]} ${tag}`.slice(0, 60), names: names.slice(0, 12).join(', ') },
        { file },
      );
    }
}
