import type { Change, ComparisonNode } from '../../src/core/report/comparison.ts';

// What a comparison's tree says about each of its nodes, worked out once: numbers only, no words.

export interface NodeDigest {
  readonly parent: string | undefined;
  /** Tensors below, or 1 for a tensor, by change. */
  readonly tensors: Readonly<Record<Change, number>>;
  /** The largest relative error and the smallest cosine of a changed matrix here or below; undefined where none was measured. */
  readonly error: number | undefined;
  readonly cosine: number | undefined;
  /** Element type and shape of either side: its own, or those of an organ's largest tensor. */
  readonly before: Kind;
  readonly after: Kind;
}
export interface Kind {
  readonly dtype?: string | undefined;
  readonly shape?: readonly number[] | undefined;
}
export type Digest = ReadonlyMap<string, NodeDigest>;

export const isTensor = (node: ComparisonNode): boolean => !node.children && (node.before ?? node.after)?.dtype !== undefined;

/** Every node of the tree by id. */
export function digest(root: ComparisonNode): Digest {
  const digests = new Map<string, NodeDigest>();
  visit(root, undefined, digests);
  return digests;
}

function visit(node: ComparisonNode, parent: string | undefined, digests: Map<string, NodeDigest>): NodeDigest {
  const children = (node.children ?? []).map(child => visit(child, node.id, digests));
  const tensors = { same: 0, changed: 0, removed: 0, added: 0, replaced: 0 };
  if (isTensor(node)) tensors[node.change] = 1;
  for (const child of children) for (const change of changes) tensors[change] += child.tensors[change];
  const own = node.change === 'same' ? undefined : node.error;
  const entry: NodeDigest = {
    parent,
    tensors,
    error: own?.relative ?? extreme(children, 'error', Math.max),
    cosine: own?.cosine ?? extreme(children, 'cosine', Math.min),
    before: kindOf(node, 'before'),
    after: kindOf(node, 'after'),
  };
  digests.set(node.id, entry);
  return entry;
}

export const changes = ['changed', 'added', 'removed', 'replaced', 'same'] as const satisfies readonly Change[];

function extreme(
  nodes: readonly NodeDigest[],
  key: 'error' | 'cosine',
  pick: (a: number, b: number) => number,
): number | undefined {
  let found: number | undefined;
  for (const node of nodes) {
    const value = node[key];
    if (value !== undefined) found = found === undefined ? value : pick(found, value);
  }
  return found;
}

/** An organ (only tensors below it) is of the kind of its largest tensor. */
function kindOf(node: ComparisonNode, side: 'before' | 'after'): Kind {
  const own = node[side];
  if (!own || own.dtype !== undefined || !node.children) return { dtype: own?.dtype, shape: own?.shape };
  if (!node.children.every(child => !child.children)) return {};
  let largest: ComparisonNode['before'] = null;
  for (const child of node.children)
    if (child[side] && child[side].byteLength > (largest?.byteLength ?? -1)) largest = child[side];
  return { dtype: largest?.dtype, shape: largest?.shape };
}
