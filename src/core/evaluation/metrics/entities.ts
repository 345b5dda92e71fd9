/** Words [start, end) that are one entity. */
export interface Entity {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Entities as conlleval reads tags: an I after another type, or after none, begins an entity too. B, I, E, S (and L, U, M of BILOU
 * and BMES) are known; a tag without a hyphen (and not O) is an entity of that name.
 * source  Tjong Kim Sang 2003, conlleval; seqeval's default mode
 */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const found: Entity[] = [];
  let [prefix, type, start] = ['O', '', 0];
  for (let i = 0; i <= tags.length; i++) {
    const [nextPrefix, nextType] = parts(tags[i] ?? 'O');
    if (ends(prefix, type, nextPrefix, nextType)) found.push({ type, start, end: i });
    if (starts(prefix, type, nextPrefix, nextType)) start = i;
    [prefix, type] = [nextPrefix, nextType];
  }
  return found;
}

/** Entities of well-formed IOB2 only: B, then I of the same type; an I that follows nothing is none. source  seqeval, strict mode */
export function strictEntitiesOf(tags: readonly string[]): Entity[] {
  const found: Entity[] = [];
  for (let start = 0; start < tags.length; start++) {
    const [prefix, type] = parts(tags[start]!);
    if (prefix !== 'B') continue;
    let end = start + 1;
    while (end < tags.length && tags[end] === `I-${type}`) end++;
    found.push({ type, start, end });
  }
  return found;
}

/** F1 over all entities of all texts (micro): right when both the type and the words are. NaN when there are none. */
export function entityF1Of(
  entities: (tags: readonly string[]) => Entity[],
  predicted: readonly (readonly string[])[],
  expected: readonly (readonly string[])[],
): number {
  let [right, claimed] = [0, 0];
  for (const [i, tags] of predicted.entries()) {
    const [found, wanted] = [entities(tags).map(key), new Set(entities(expected[i]!).map(key))];
    right += found.filter(each => wanted.has(each)).length;
    claimed += found.length + wanted.size;
  }
  return (2 * right) / claimed;
}

const key = ({ type, start, end }: Entity): string => `${start} ${end} ${type}`;

function parts(tag: string): [prefix: string, type: string] {
  if (tag === 'O') return ['O', ''];
  const [, prefix, type] = /^([BIESLUM])(?:-(.*))?$/s.exec(tag) ?? [];
  return prefix === undefined ? ['I', tag] : [prefix, type ?? '_'];
}

function ends(prefix: string, type: string, nextPrefix: string, nextType: string): boolean {
  if (prefix === 'O') return false;
  return 'ELSU'.includes(prefix) || 'OBSU'.includes(nextPrefix) || type !== nextType;
}

function starts(prefix: string, type: string, nextPrefix: string, nextType: string): boolean {
  if (nextPrefix === 'O') return false;
  return 'BSU'.includes(nextPrefix) || 'OELSU'.includes(prefix) || type !== nextType;
}
