import { fail, sentence } from '../../errors.ts';
import { feeds } from '../inputs.ts';
import { logTotal } from '../metrics/divergence.ts';
import { perplexityOf } from '../metrics/pseudo-perplexity.ts';
import type { Prepared } from '../subject.ts';
import type { Encoding } from '../tokenize/tokenizer.ts';
import type { Kind, RunMore } from './kind.ts';
import { plain } from './plain.ts';

// B batch, T tokens, V vocabulary

/** Of logits that are held at once. */
const mostBytes = 64 * 2 ** 20;

/**
 * How likely the model finds each token of a text where that token alone is masked.
 * source  Salazar et al., Masked Language Model Scoring, ACL 2020
 */
export const maskedLanguage: Kind = {
  inputs: plain.inputs,
  scorer({ metrics }, prepared) {
    const { chosen, runner, tokenizer } = prepared;
    const { mask } = tokenizer;
    if (!chosen.isPerToken || chosen.logits === undefined || mask === undefined || chosen.classes <= mask)
      throw fail(
        'unsupported',
        'This model predicts no tokens, or its tokenizer has no mask: there is no perplexity.',
        {},
        { file: runner.name, hint: sentence('Measure it with text:FILE.') },
      );
    const asked = metrics.includes('pseudo-perplexity');
    return {
      add: () => undefined,
      async metrics(run) {
        if (!asked) return [];
        const logLikelihoods = await scoreTokens(prepared, mask, run);
        const value = perplexityOf(logLikelihoods);
        return [{ name: 'pseudo-perplexity', value: Number.isFinite(value) ? value : null, count: logLikelihoods.length }];
      },
    };
  },
};

/** A text with one token masked. */
interface Masked {
  readonly encoding: Encoding;
  readonly at: number;
  readonly id: number;
}

/** Natural logarithms of the probability of each token of each text that is no special one. */
async function scoreTokens(prepared: Prepared, mask: number, { batch, step }: RunMore): Promise<number[]> {
  const { runner, inputs, chosen, tokenizer, firstPosition } = prepared;
  const found: number[] = [];
  const special = specialIds(prepared);
  for (const rows of together(maskings(prepared, special, mask), inputs.fixedBatch ?? batch, chosen.classes)) {
    step();
    const { feeds: fed } = feeds(
      inputs,
      rows.map(({ encoding }) => encoding),
      tokenizer.pad,
      firstPosition,
    );
    const { data, shape } = (await runner.run(fed, [chosen.logits!])).get(chosen.logits!)!;
    const [, T, V] = shape as [number, number, number];
    for (const [b, { at, id }] of rows.entries()) {
      const logits_V = data.subarray((b * T + at) * V, (b * T + at + 1) * V);
      found.push(logits_V[id]! - logTotal(logits_V));
    }
  }
  return found;
}

/** What the tokenizer puts around any text. */
const specialIds = ({ tokenizer }: Prepared): ReadonlySet<number> => new Set([...tokenizer.encode('').ids, tokenizer.pad]);

/** Longest texts first, so that rows of like length come together. */
function* maskings({ encodings }: Prepared, special: ReadonlySet<number>, mask: number): Generator<Masked> {
  for (const { ids, types } of [...encodings].sort((a, b) => b.ids.length - a.ids.length))
    for (const [at, id] of ids.entries())
      if (!special.has(id)) yield { encoding: { ids: ids.map((each, i) => (i === at ? mask : each)), types }, at, id };
}

function* together(all: Iterable<Masked>, most: number, vocabulary: number): Generator<Masked[]> {
  let rows: Masked[] = [];
  for (const row of all) {
    const length = rows[0]?.encoding.ids.length ?? 0;
    if (rows.length > 0 && (rows.length >= most || (rows.length + 1) * length * vocabulary * 4 > mostBytes)) {
      yield rows;
      rows = [];
    }
    rows.push(row);
  }
  if (rows.length > 0) yield rows;
}
