import type { Encoding, Tokenizer } from './tokenizer.ts';

/**
 * An encoding of at most `length` tokens. Text is cut from its end, of a pair from the longer one first; special tokens stay.
 * Returns the encoding itself when it fits.
 * source  Hugging Face tokenizers, truncate_encodings, longest_first: of two that are both too long, half each, and the odd token to
 *         the one that was longer (the second of equals)
 */
export function cut(encoding: Encoding, length: number, tokenizer: Tokenizer, text: string, pair?: string): Encoding {
  const { ids, types } = encoding;
  if (ids.length <= length) return encoding;
  const first = runOf(tokenizer.content(text), ids, 0);
  const second = pair === undefined ? { start: first.end, end: first.end } : runOf(tokenizer.content(pair), ids, first.end);
  const [a, b] = [first.end - first.start, second.end - second.start];
  const [keptA, keptB] = kept(a, b, Math.max(0, length - (ids.length - a - b)));
  const keep = (_: number, at: number) =>
    !(at >= first.start + keptA && at < first.end) && !(at >= second.start + keptB && at < second.end);
  return { ids: ids.filter(keep).slice(0, length), types: types.filter(keep).slice(0, length) };
}

/** How many tokens of each are left when both together are `most`. */
function kept(a: number, b: number, most: number): [number, number] {
  const isFirstLonger = a > b;
  const shorter = Math.min(a, b);
  const half = Math.floor(most / 2);
  const [less, more] = shorter <= half ? [shorter, most - shorter] : [half, most - half];
  return isFirstLonger ? [more, less] : [less, more];
}

/** Where the tokens of a text stand among those of the whole: [start, end). */
function runOf(content: readonly number[], ids: readonly number[], from: number): { start: number; end: number } {
  for (let start = from; start + content.length <= ids.length; start++)
    if (content.every((id, index) => ids[start + index] === id)) return { start, end: start + content.length };
  return { start: from, end: ids.length };
}
