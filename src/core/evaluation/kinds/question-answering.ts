import { fail, sentence } from '../../errors.ts';
import { questionMetrics } from '../metrics/registry.ts';
import type { TextOutput } from '../outputs.ts';
import type { Prepared } from '../subject.ts';
import { offsets } from '../tokenize/offsets.ts';
import type { Kind } from './kind.ts';
import { measure } from './measure.ts';

/** Tokens of an answer at most, as in BERT's run_squad. */
const longestAnswer = 30;

/**
 * The span of a text that answers a question: the one with the largest sum of start and end logits.
 * source  Devlin et al. 2019, section 4.2; with unanswerable questions section 4.3: no answer where [CLS] scores higher than any span.
 */
export const questionAnswering: Kind = {
  inputs: ({ text, pair = '' }) => [{ text, pair }],
  scorer({ samples, metrics }, prepared) {
    const { chosen, runner } = prepared;
    if (chosen.ends === undefined && !(chosen.isPerToken && chosen.classes === 2))
      throw fail(
        'unsupported',
        'This model gives no start and end of an answer, and the task asks questions.',
        {},
        { file: runner.name, hint: sentence('Measure it with text:FILE.') },
      );
    const mayBeSilent = samples.some(({ answers = [] }) => answers.length === 0);
    const expected = samples.map(({ answers = [] }) => answers);
    const predicted: string[] = new Array(samples.length).fill('');
    return {
      add(place, output) {
        const { text, pair = '' } = samples[place]!;
        predicted[place] = answerOf(output, prepared, place, text, pair, mayBeSilent);
      },
      metrics: async () => measure(questionMetrics, metrics, predicted, expected),
    };
  },
};

function answerOf(
  output: TextOutput,
  { encodings, tokenizer, chosen }: Prepared,
  place: number,
  question: string,
  context: string,
  mayBeSilent: boolean,
): string {
  const { starts, ends } = logitsOf(output, chosen.ends !== undefined);
  const content = tokenizer.content(context);
  const first = runOf(content, encodings[place]!.ids, tokenizer.content(question).length);
  const last = Math.min(first + content.length, encodings[place]!.ids.length);
  let best = { score: Number.NEGATIVE_INFINITY, start: first, end: first };
  for (let start = first; start < last; start++)
    for (let end = start; end < Math.min(last, start + longestAnswer); end++) {
      const score = starts[start]! + ends[end]!;
      if (score > best.score) best = { score, start, end };
    }
  if (best.score === Number.NEGATIVE_INFINITY) return '';
  if (mayBeSilent && starts[0]! + ends[0]! > best.score) return '';
  const spans = offsets(content.map(tokenizer.token), context);
  return context.slice(spans[best.start - first]![0], spans[best.end - first]![1]);
}

/** [2, T] of two outputs, or [T, 2] of one. */
function logitsOf({ logits, classes }: TextOutput, isApart: boolean): { starts: Float32Array; ends: Float32Array } {
  const all = logits!;
  if (isApart) return { starts: all.subarray(0, classes), ends: all.subarray(classes) };
  return { starts: all.filter((_, i) => i % 2 === 0), ends: all.filter((_, i) => i % 2 === 1) };
}

/** Where the second text's tokens begin: what is left of them after cutting is the front of `content`. */
function runOf(content: readonly number[], ids: readonly number[], questionLength: number): number {
  for (let start = questionLength + 1; start < ids.length; start++) {
    const there = Math.min(content.length, ids.length - start - 1);
    if (there > 0 && content.slice(0, there).every((id, i) => ids[start + i] === id)) return start;
  }
  return ids.length;
}
