import type { Sentence } from '../../errors.ts';
import type { Change, Comparison, ComparisonNode, ComparisonRow } from '../comparison.ts';
import type { Made } from './made.ts';

// What both documents tell: counts, the rows worth a line, and what was left alone.

export type Counts = Readonly<Record<Change, number>>;

export function countChanges(rows: readonly ComparisonRow[]): Counts {
  const counts = { same: 0, changed: 0, removed: 0, added: 0, replaced: 0 };
  for (const row of rows) counts[row.change]++;
  return counts;
}

const difference = (row: ComparisonRow): number => Math.abs((row.after?.byteLength ?? 0) - (row.before?.byteLength ?? 0));

/** The rows that are not the same on both sides, largest difference in bytes first; equal ones in model order. */
export function changedRows(rows: readonly ComparisonRow[]): readonly ComparisonRow[] {
  return rows.filter(row => row.change !== 'same').sort((a, b) => difference(b) - difference(a));
}

/** The row whose weights moved most, relative to their size; undefined when no error was measured. */
export function worstRow(rows: readonly ComparisonRow[]): ComparisonRow | undefined {
  let worst: ComparisonRow | undefined;
  for (const row of rows) if (row.error && row.error.relative > (worst?.error?.relative ?? 0)) worst = row;
  return worst;
}

/** The tree without what lies under an unchanged row, each row with its depth (0 for the root's children), not deeper than `depth`. */
export function* outline(root: ComparisonNode, depth: number, level = 0): Generator<{ node: ComparisonNode; level: number }> {
  for (const node of root.children ?? []) {
    yield { node, level };
    if (level < depth && node.change !== 'same') yield* outline(node, depth, level + 1);
  }
}

export interface LeftAlone {
  readonly reason: Sentence;
  readonly targets: readonly string[];
}

/** What was left alone, by reason: the reason with the most targets first. */
export function leftAlone(skipped: readonly { readonly target: string; readonly sentence: Sentence }[]): readonly LeftAlone[] {
  const groups = new Map<string, { reason: Sentence; targets: string[] }>();
  for (const { target, sentence } of skipped) {
    const key = JSON.stringify([sentence.text, sentence.args]);
    const group = groups.get(key);
    if (group) group.targets.push(target);
    else groups.set(key, { reason: sentence, targets: [target] });
  }
  return [...groups.values()].sort((a, b) => b.targets.length - a.targets.length);
}

/** The two models' names; where they are the same, the second one with its folder, when it is known where it was written. */
export function namesOf(
  { names: { before, after } }: Comparison,
  made: Made | null | undefined,
): { before: string; after: string } {
  return { before, after: before === after && made ? made.report.out.split(/[\\/]/).slice(-2).join('/') : after };
}

/** Layers whose number of heads differs: "layer 2: 12 -> 8". */
export function headChanges({
  heads,
}: Comparison): readonly { layer: number; before: number | undefined; after: number | undefined }[] {
  const layers = Math.max(heads.before.length, heads.after.length);
  return Array.from({ length: layers }, (_, layer) => ({ layer, before: heads.before[layer], after: heads.after[layer] })).filter(
    ({ before, after }) => before !== after,
  );
}
