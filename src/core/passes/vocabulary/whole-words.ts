import type { Pieces } from './pieces.ts';

/** Letters and digits that stand together, or one mark: how BERT's rules split what is ASCII. */
const parts = /[A-Za-z0-9]+|[!-/:-@[-`{-~]/g;
const isAscii = /^[!-~]+$/;

/**
 * The ids of a word without spaces whose parts are all tokens themselves, which WordPiece then cuts no further; undefined for any other,
 * which the tokenizer is asked for. Most words of a text are such, and asking takes ten times as long.
 */
export function wholeWords({ type, ids, special, rules }: Pieces): (word: string) => readonly number[] | undefined {
  if (type !== 'WordPiece' || !rules) return () => undefined;
  const apart = [...ids].flatMap(([token, id]) => (special.has(id) ? [token] : []));
  return word => {
    // What was added to the vocabulary is found before anything is split.
    if (!isAscii.test(word) || apart.some(token => word.includes(token))) return undefined;
    const found: number[] = [];
    for (const part of (rules === 'lowercase' ? word.toLowerCase() : word).match(parts) ?? []) {
      const id = ids.get(part);
      if (id === undefined) return undefined;
      found.push(id);
    }
    return found;
  };
}
