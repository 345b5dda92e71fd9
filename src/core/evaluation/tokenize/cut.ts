import type { Encoding, Tokenizer } from './tokenizer.ts';

/**
 * An encoding of at most `length` tokens. Text is cut from its end, of a pair from the longer one first; special tokens stay.
 * Returns the encoding itself when it fits.
 */
export function cut(encoding: Encoding, length: number, tokenizer: Tokenizer, text: string, pair?: string): Encoding {
  const { ids, types } = encoding;
  const excess = ids.length - length;
  if (excess <= 0) return encoding;
  const first = runOf(tokenizer.content(text), ids, 0);
  const second = pair === undefined ? { start: 0, end: 0 } : runOf(tokenizer.content(pair), ids, first.end);
  const dropped = new Set<number>();
  let [a, b] = [first.end, second.end];
  for (let i = 0; i < excess; i++) {
    const fromFirst = a - first.start >= b - second.start;
    if (fromFirst && a > first.start) dropped.add(--a);
    else if (b > second.start) dropped.add(--b);
  }
  const keep = (_: number, index: number) => !dropped.has(index);
  return { ids: ids.filter(keep).slice(0, length), types: types.filter(keep).slice(0, length) };
}

/** Where the tokens of a text stand among those of the whole: [start, end). */
function runOf(content: readonly number[], ids: readonly number[], from: number): { start: number; end: number } {
  for (let start = from; start + content.length <= ids.length; start++)
    if (content.every((id, index) => ids[start + index] === id)) return { start, end: start + content.length };
  return { start: from, end: ids.length };
}
