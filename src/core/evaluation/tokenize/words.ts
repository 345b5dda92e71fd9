import type { Encoding, Tokenizer } from './tokenizer.ts';

/** An encoding that knows where words begin. */
export interface WordEncoding extends Encoding {
  /** The place of each word's first token; -1 for a word that gives none. Words that were cut off are left out. */
  readonly starts: readonly number[];
}

/**
 * Words that are already apart, each turned into tokens on its own, as transformers does with is_split_into_words. Tokens beyond
 * `length` are cut off at the end; `words.length` stays above `starts.length` then.
 */
export function encodeWords(words: readonly string[], tokenizer: Tokenizer, length: number): WordEncoding {
  const { before, after } = around(tokenizer);
  const spell = isSame(tokenizer.content('a b'), [...tokenizer.content('a'), ...tokenizer.content('b')])
    ? (word: string) => word
    : (word: string) => ` ${word}`;
  const ids = [...before];
  const starts: number[] = [];
  const end = Math.max(0, length - after.length);
  for (const word of words) {
    const pieces = tokenizer.content(spell(word));
    if (ids.length + 1 > end) break;
    starts.push(pieces.length > 0 ? ids.length : -1);
    ids.push(...pieces.slice(0, end - ids.length));
  }
  ids.push(...after);
  return { ids, types: ids.map(() => 0), starts };
}

/** What the tokenizer puts before and behind any text. */
function around(tokenizer: Tokenizer): { before: readonly number[]; after: readonly number[] } {
  const content = tokenizer.content('a');
  const { ids } = tokenizer.encode('a');
  const start = ids.findIndex((_, at) => content.every((id, i) => ids[at + i] === id));
  return { before: ids.slice(0, start), after: ids.slice(start + content.length) };
}

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, i) => id === b[i]);
