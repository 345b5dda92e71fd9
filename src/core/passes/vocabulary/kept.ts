import type { Pieces } from './pieces.ts';

export interface Kept {
  /** Ids that stay, ascending. */
  readonly ids: readonly number[];
  /** BPE: places of the merges that stay, ascending. */
  readonly merges: readonly number[];
}

/** Ids before the one that fills up are kept, if they are so few: RoBERTa's graphs count positions from the padding's id. */
const fewBeforePadding = 16;

/**
 * What must stay so that words made of `used` pieces are cut as they were, and any other word still into smaller ones:
 * special tokens, single characters, and in a BPE all that the used ones are put together from.
 *
 * WordPiece takes the longest piece that fits, BPE the pair of lowest rank, Unigram the likeliest path: none of them chooses
 * differently when what it did not choose is gone. Unigram's unknown characters cost 10 more than the least likely piece, which
 * therefore stays too.
 */
export function keptOf(pieces: Pieces, used: Iterable<number>, padding: number | undefined): Kept {
  const kept = new Set([...pieces.special, ...used]);
  if (padding !== undefined && padding < fewBeforePadding) for (let id = 0; id <= padding; id++) kept.add(id);
  if (pieces.type !== 'WordLevel') addCharacters(pieces, kept);
  if (pieces.type === 'Unigram') addLeastLikely(pieces, kept);
  const merges = pieces.type === 'BPE' ? addParts(pieces, kept) : [];
  return { ids: [...kept].sort((a, b) => a - b), merges };
}

/** Single characters; and pieces with a character that no piece has alone, so that a word that was known stays known. */
function addCharacters({ ids, type, continuing }: Pieces, kept: Set<number>): void {
  const isWordPiece = type === 'WordPiece';
  for (const [token, id] of ids) {
    const isInside = isWordPiece && token.startsWith(continuing) && token.length > continuing.length;
    const characters = [...(isInside ? token.slice(continuing.length) : token)];
    const spelled = characters.every((character, place) =>
      ids.has(isWordPiece && (isInside || place > 0) ? continuing + character : character),
    );
    if (characters.length <= 1 || (isWordPiece && !spelled)) kept.add(id);
  }
}

function addLeastLikely({ scores }: Pieces, kept: Set<number>): void {
  let least: number | undefined;
  for (const [id, score] of scores) if (least === undefined || score < scores.get(least)!) least = id;
  if (least !== undefined) kept.add(least);
}

/** What each kept token is put together from, and by which merges. */
function addParts({ ids, merges, special }: Pieces, kept: Set<number>): number[] {
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  const tokens = new Map([...ids].map(([token, id]) => [id, token]));
  const used = new Set<number>();
  for (const id of [...kept]) {
    if (special.has(id)) continue;
    for (const rank of mergesIn([...(tokens.get(id) ?? '')], ranks)) {
      used.add(rank);
      const [left, right] = merges[rank]!;
      for (const part of [left, right, left + right]) {
        const whole = ids.get(part);
        if (whole !== undefined) kept.add(whole);
      }
    }
  }
  return [...used].sort((a, b) => a - b);
}

/** The merges that put characters together, in their order: the pair of lowest rank first, everywhere from left to right. */
function mergesIn(symbols: readonly string[], ranks: ReadonlyMap<string, number>): number[] {
  const found: number[] = [];
  for (let parts = symbols; ; ) {
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < parts.length; i++) lowest = Math.min(lowest, ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? lowest);
    if (lowest === Number.POSITIVE_INFINITY) return found;
    found.push(lowest);
    const next: string[] = [];
    for (let i = 0; i < parts.length; i++)
      if (i + 1 < parts.length && ranks.get(`${parts[i]} ${parts[i + 1]}`) === lowest) next.push(parts[i]! + parts[++i]!);
      else next.push(parts[i]!);
    parts = next;
  }
}
