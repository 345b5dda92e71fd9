import { type Anatomy, type Layer, matricesIn } from '../anatomy/anatomy.ts';
import type { PartsBy, SensitivityRow } from './sensitivity.ts';
import type { TreeNode } from './tree.ts';

/** What is compressed by itself: a layer, a matrix, or a kind of matrix. */
export interface Part extends Pick<SensitivityRow, 'id' | 'title' | 'layer' | 'organ' | 'globs' | 'parameters'> {
  /** Ids of the matrices and tables in it. */
  readonly members: readonly string[];
  readonly byteLength: number;
}

/** A stored layer and the ids of its matrices. */
interface Stored {
  readonly layer: Layer;
  readonly id: string;
  readonly members: readonly string[];
}

/** The parts of a model in its order: embeddings, layers, what stands outside them. Layers that share their weights are one. */
export function partsOf(anatomy: Anatomy, tree: TreeNode, by: PartsBy): Part[] {
  const nodes = nodesOf(tree);
  const layers = anatomy.layers
    .filter(({ stored, index }) => stored === index)
    .map(layer => ({ layer, id: `encoder.layer.${layer.index}`, members: matricesIn(layer).map(({ id }) => id) }));
  const inLayers = layers.flatMap(({ members }) => members);
  // Of a factored matrix two are stored, whose ids are longer.
  const outside = [...anatomy.tables, ...anatomy.linears]
    .map(({ id }) => id)
    .filter(id => !inLayers.some(each => id === each || id.startsWith(`${each}.`)));
  const embeddings = outside.filter(id => id.startsWith('embeddings.'));
  const others = outside.filter(id => !embeddings.includes(id));
  const roles = new Map(anatomy.top.flatMap(({ linear, role }) => (linear ? [[linear.id, role] as const] : [])));
  const cutters = { layers: wholeLayers, organs: kindsOfMatrices, matrices: singleMatrices };
  return [
    ...(by === 'matrices' ? embeddings.map(id => [id, id]) : embeddings.length > 0 ? [['embeddings', ...embeddings]] : []).map(
      ([id, ...members]) => part(nodes, { id: id!, organ: 'embeddings', members, title: embeddingTitle(nodes, id!) }),
    ),
    ...cutters[by](nodes, layers),
    ...others.map(id => part(nodes, { id, organ: roles.get(id) ?? 'other', members: [id] })),
  ];
}

type Nodes = ReadonlyMap<string, TreeNode>;

const wholeLayers = (nodes: Nodes, layers: readonly Stored[]): Part[] =>
  layers.map(({ id, layer, members }) => part(nodes, { id, organ: 'layer', members, layer: layer.index }));

const singleMatrices = (nodes: Nodes, layers: readonly Stored[]): Part[] =>
  layers.flatMap(stored =>
    stored.members.map(id => {
      const title = `${titleOf(nodes, stored.id)}, ${titleOf(nodes, id)}`;
      return part(nodes, { id, organ: organOf(stored, id), members: [id], layer: stored.layer.index, title });
    }),
  );

function kindsOfMatrices(nodes: Nodes, layers: readonly Stored[]): Part[] {
  const kinds = new Map<string, string[]>();
  for (const stored of layers)
    for (const id of stored.members) {
      const organ = organOf(stored, id);
      kinds.set(organ, [...(kinds.get(organ) ?? []), id]);
    }
  const all = layers.flatMap(({ members }) => members);
  return [...kinds].map(([organ, members]) => {
    const id = `encoder.layer.*.${organ}`;
    // "output.dense" is also the end of "attention.output.dense".
    const isAlone = all.filter(each => each.endsWith(`.${organ}`)).length === members.length;
    const title = `${titleOf(nodes, members[0]!)} of all layers`;
    return part(nodes, { id, organ, members, title, globs: isAlone ? [id] : members });
  });
}

const organOf = (stored: Stored, id: string): string => id.slice(stored.id.length + 1);

/** What is not said follows from the id and the tree. */
function part(nodes: Nodes, given: Pick<Part, 'id' | 'organ' | 'members'> & Partial<Part>): Part {
  const { id, members } = given;
  const rows = (nodes.has(id) ? [id] : members).flatMap(each => nodes.get(each) ?? []);
  return {
    title: titleOf(nodes, id),
    globs: [id],
    parameters: rows.reduce((sum, row) => sum + row.parameters, 0),
    byteLength: rows.reduce((sum, row) => sum + row.byteLength, 0),
    ...given,
  };
}

function nodesOf(tree: TreeNode): Nodes {
  const nodes = new Map<string, TreeNode>();
  const add = (node: TreeNode): void => {
    nodes.set(node.id, node);
    node.children?.forEach(add);
  };
  add(tree);
  return nodes;
}

const titleOf = (nodes: Nodes, id: string): string => nodes.get(id)?.title ?? id;
const embeddingTitle = (nodes: Nodes, id: string): string =>
  id === 'embeddings' ? titleOf(nodes, id) : `${titleOf(nodes, 'embeddings')}, ${titleOf(nodes, id)}`;
