import type { ComparisonNode } from '../../src/core/report/comparison.ts';

/** Under this share of the scale a bar is a tick: the % column says the rest. */
const tick = 0.03;

export interface PairBar {
  /** Shares of the scale, 0 to 1. */
  readonly before: number;
  readonly after: number;
  readonly tick: boolean;
}

/** One scale for the whole table: the largest of the model's parts on either side. */
export const barScale = (root: ComparisonNode): number =>
  Math.max(1, ...(root.children ?? []).flatMap(({ before, after }) => [before?.byteLength ?? 0, after?.byteLength ?? 0]));

export function pairBar(before: number, after: number, scale: number): PairBar {
  const [from, to] = [before / scale, after / scale];
  return { before: from, after: to, tick: Math.max(from, to) < tick };
}

/** Full is the largest error of the table or 30 %, whichever is larger. */
export const errorScale = (largest: number | undefined): number => Math.max(0.3, largest ?? 0);

export type Organ = 'embed' | 'attention' | 'forward' | 'other';

/** Which organ's colour each row takes: its own kind's, or that of what it lies in. */
export function organs(root: ComparisonNode): ReadonlyMap<string, Organ> {
  const found = new Map<string, Organ>();
  const visit = (node: ComparisonNode, above: Organ): void => {
    const organ = own[node.kind] ?? above;
    found.set(node.id, organ);
    for (const child of node.children ?? []) visit(child, organ);
  };
  visit(root, 'other');
  return found;
}

const own: { readonly [K in ComparisonNode['kind']]?: Organ } = {
  embeddings: 'embed',
  encoder: 'attention',
  layer: 'attention',
  attention: 'attention',
  'feed-forward': 'forward',
};
