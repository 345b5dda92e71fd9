import type { Tokenizer } from './tokenizer.ts';

/**
 * For models without a tokenizer: a token a word, its id drawn by a generator that starts from the text. Two models get the same ids,
 * so that their outputs can be compared; what the text says is lost.
 */
export function seeded(vocabulary: number): Tokenizer {
  const content = (text: string): number[] => {
    const next = random(hash(text));
    return text
      .trim()
      .split(/\s+/)
      .map(() => Math.floor(next() * Math.max(1, vocabulary)));
  };
  return {
    kind: 'seed',
    pad: 0,
    content,
    token: id => `#${id}`,
    encode(text, pair) {
      const first = content(text);
      const second = pair === undefined ? [] : content(pair);
      return { ids: [...first, ...second], types: [...first.map(() => 0), ...second.map(() => 1)] };
    },
  };
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}

/** xorshift32: in [0, 1). */
function random(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
