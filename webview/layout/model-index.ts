import type { Summary, TreeNode } from '../../src/core/report/tree.ts';

/** What a colour stands for. */
export const organs = ['embeddings', 'attention', 'feed-forward', 'other'] as const;
export type Organ = (typeof organs)[number];
export type Measure = 'parameters' | 'byteLength';
type PerOrgan = Readonly<Record<Organ, number>>;

/** A node of the summary's tree with its place in it. */
export interface Entry {
  readonly node: TreeNode;
  readonly parent: Entry | undefined;
  /** The root is 0. */
  readonly depth: number;
  readonly children: readonly Entry[];
  /** undefined: organs of several kinds are below it. */
  readonly organ: Organ | undefined;
  /** Which layer of the tree it is in, from 0. */
  readonly layer: number | undefined;
  readonly parts: Readonly<Record<Measure, PerOrgan>>;
  /** Lower case, for the filter: title, id, names in the file, type, shape. */
  readonly words: string;
}

export interface ModelIndex {
  readonly root: Entry;
  readonly byId: ReadonlyMap<string, Entry>;
  /** The nodes of kind "layer", in order: one for all when layers are shared. */
  readonly layers: readonly Entry[];
  /** Rows that are a tensor: what the filter counts. */
  readonly tensorCount: number;
}

const organOf: Partial<Record<TreeNode['kind'], Organ>> = {
  embeddings: 'embeddings',
  attention: 'attention',
  'feed-forward': 'feed-forward',
};

/** Everything the views ask about the tree, found once. `title` is the node's title in the person's language. */
export function indexModel({ tree }: Summary, title: (node: TreeNode) => string): ModelIndex {
  const byId = new Map<string, Entry>();
  const layers: Entry[] = [];
  let tensorCount = 0;

  function visit(node: TreeNode, parent: Entry | undefined, inherited: Organ | undefined, inLayer: number | undefined): Entry {
    const own = organOf[node.kind] ?? inherited;
    const layer = node.kind === 'layer' ? layers.length : inLayer;
    const entry: { -readonly [K in keyof Entry]: Entry[K] } = {
      node,
      parent,
      depth: parent ? parent.depth + 1 : 0,
      children: [],
      organ: own,
      layer,
      parts: { parameters: none, byteLength: none },
      words: wordsOf(node, title(node)),
    };
    byId.set(node.id, entry);
    if (node.kind === 'layer') layers.push(entry);
    if (isTensor(node)) tensorCount++;
    entry.children = (node.children ?? []).map(child => visit(child, entry, own, layer));
    entry.parts = { parameters: partsOf(entry, 'parameters'), byteLength: partsOf(entry, 'byteLength') };
    if (!own) entry.organ = entry.children.length ? onlyOrgan(entry.parts) : 'other';
    return entry;
  }

  const root = visit(tree, undefined, undefined, undefined);
  return { root, byId, layers, tensorCount };
}

/** Whether a row stands for numbers in the file, rather than for a header or a group. */
export const isTensor = (node: TreeNode): boolean => !node.children?.length && node.dtype !== undefined;

export const isInside = (entry: Entry | undefined, ancestor: Entry): boolean => {
  for (let at = entry; at; at = at.parent) if (at === ancestor) return true;
  return false;
};

const none: PerOrgan = { embeddings: 0, attention: 0, 'feed-forward': 0, other: 0 };

function partsOf(entry: Entry, measure: Measure): PerOrgan {
  if (!entry.children.length) return { ...none, [entry.organ ?? 'other']: entry.node[measure] };
  const sum = { ...none };
  for (const child of entry.children) for (const organ of organs) sum[organ] += child.parts[measure][organ];
  return sum;
}

function onlyOrgan(parts: Entry['parts']): Organ | undefined {
  const present = organs.filter(organ => parts.byteLength[organ] > 0);
  return present.length === 1 ? present[0] : undefined;
}

function wordsOf({ id, tensors, dtype, shape }: TreeNode, title: string): string {
  const sizes = shape ? `${shape.join('×')} [${shape.join(',')}]` : '';
  return searchable(`${title} ${id} ${tensors?.join(' ') ?? ''} ${dtype ?? ''} ${sizes}`);
}

/** Lower case, and sizes written one way: "384 x 384" is "384×384", "[1, 2]" is "[1,2]". */
export const searchable = (text: string): string =>
  text
    .toLowerCase()
    .replace(/(\d)\s*[x×]\s*(?=\d)/g, '$1×')
    .replace(/(\d),\s+(?=\d)/g, '$1,');
