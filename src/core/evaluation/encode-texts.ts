import type { Input, Subject } from './subject.ts';
import { cut } from './tokenize/cut.ts';
import type { Encoding, Tokenizer } from './tokenize/tokenizer.ts';
import { encodeWords } from './tokenize/words.ts';

/** Models of unknown length are given no more than BERT's. */
const usualLength = 512;

/** What begins counting positions after the padding's: the table has that many rows which no token uses. */
const offsetFamilies = /^(roberta|xlm-roberta|xlm-roberta-xl|camembert|longformer|mpnet|xmod|data2vec-text)$/;

/** Texts as a model takes them: ids with special tokens, no longer than it allows. */
export interface Encoded {
  readonly encodings: readonly Encoding[];
  /** Texts that were cut. */
  readonly cut: number;
  readonly maxLength: number;
  /** What positions begin with: 0, or RoBERTa's pad + 1. */
  readonly firstPosition: number;
}

/** `limits` in tokens beside the model's own and the tokenizer's. */
export function encodeTexts(
  subject: Pick<Subject, 'config' | 'positions'>,
  tokenizer: Tokenizer,
  texts: readonly Input[],
  limits: readonly (number | undefined)[] = [],
): Encoded {
  const padding = typeof subject.config.pad_token_id === 'number' ? subject.config.pad_token_id : tokenizer.pad;
  const firstPosition = offsetFamilies.test(String(subject.config.model_type ?? '')) ? padding + 1 : 0;
  const known = [subject.positions - firstPosition, tokenizer.maxLength, ...limits].filter(
    limit => limit !== undefined && limit > 0,
  ) as number[];
  const maxLength = known.length > 0 ? Math.min(...known) : usualLength;
  const encoded = texts.map(input => encode(input, tokenizer, maxLength));
  return {
    encodings: encoded.map(it => it.encoding),
    cut: encoded.filter(it => it.isCut).length,
    maxLength,
    firstPosition,
  };
}

/** An input as ids that the model takes. */
function encode({ text, pair, words }: Input, tokenizer: Tokenizer, maxLength: number): { encoding: Encoding; isCut: boolean } {
  if (words !== undefined) {
    const encoding = encodeWords(words, tokenizer, maxLength);
    return { encoding, isCut: encoding.starts.length < words.length };
  }
  const whole = tokenizer.encode(text, pair);
  const fitting = cut(whole, maxLength, tokenizer, text, pair);
  // A tokenizer without special tokens gives nothing for a text of spaces; a model needs one token.
  const encoding = fitting.ids.length > 0 ? fitting : { ids: [tokenizer.pad], types: [0] };
  return { encoding, isCut: fitting !== whole };
}
