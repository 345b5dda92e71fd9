import { parentIndex, type TreeRow, typeAhead } from '../layout/tree-rows.ts';

export type KeyAction =
  | { readonly kind: 'focus'; readonly index: number }
  | { readonly kind: 'select' }
  | { readonly kind: 'head' }
  | { readonly kind: 'expand'; readonly ids: readonly string[]; readonly expanded: boolean };

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'timeStamp'>;

/** Letters typed within this many milliseconds are one word. */
const typingPause = 600;

/**
 * What a key does on row `index`, as in VS Code's own trees; undefined when the key is not the table's.
 * `typed` is the word being typed, kept between calls.
 */
export function keyAction<Row extends TreeRow>(
  event: Key,
  rows: readonly Row[],
  index: number,
  page: number,
  text: (row: Row) => string,
  typed: { text: string; at: number },
): KeyAction | undefined {
  const row = rows[index];
  if (!row || event.altKey) return undefined;
  const last = rows.length - 1;
  const focus = (to: number): KeyAction => ({ kind: 'focus', index: Math.max(0, Math.min(last, to)) });
  const word = event.timeStamp - typed.at < typingPause ? typed.text : '';
  if (event.key === ' ' && word === '') return { kind: 'select' };
  if (event.key.length === 1 && event.key !== '*' && !event.ctrlKey && !event.metaKey) {
    typed.text = word + event.key.toLowerCase();
    typed.at = event.timeStamp;
    const repeated = /^(.)\1+$/.test(typed.text);
    const found = typeAhead(
      rows.length,
      at => text(rows[at]!),
      word === '' || repeated ? index + 1 : index,
      repeated ? typed.text[0]! : typed.text,
    );
    return found < 0 ? { kind: 'focus', index } : focus(found);
  }
  if (event.ctrlKey || event.metaKey) return undefined;
  switch (event.key) {
    case 'ArrowDown':
      return focus(index + 1);
    case 'ArrowUp':
      return index === 0 ? { kind: 'head' } : focus(index - 1);
    case 'Home':
      return focus(0);
    case 'End':
      return focus(last);
    case 'PageDown':
      return focus(index + page);
    case 'PageUp':
      return focus(index - page);
    case 'Enter':
      return { kind: 'select' };
    case 'ArrowRight':
      if (row.expanded === undefined) return { kind: 'focus', index };
      return row.expanded ? focus(index + 1) : { kind: 'expand', ids: [row.id], expanded: true };
    case 'ArrowLeft': {
      if (row.expanded) return { kind: 'expand', ids: [row.id], expanded: false };
      const parent = parentIndex(rows, index);
      return focus(parent < 0 ? index : parent);
    }
    case '*':
      return { kind: 'expand', ids: siblings(rows, index), expanded: true };
    default:
      return undefined;
  }
}

/** Ids of the row and its siblings that can be expanded. */
function siblings(rows: readonly TreeRow[], index: number): string[] {
  const parent = parentIndex(rows, index);
  const level = rows[index]!.level;
  const ids: string[] = [];
  for (let at = parent + 1; at < rows.length && rows[at]!.level >= level; at++)
    if (rows[at]!.level === level && rows[at]!.expanded !== undefined) ids.push(rows[at]!.id);
  return ids;
}
