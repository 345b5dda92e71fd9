import type { Linear, Table } from '../anatomy/anatomy.ts';
import type { TreeNode } from './tree.ts';

/** For each layer of the second model the layer of the first that it was; the first model's numbers of those that stayed. */
export type LayersKept = readonly number[];

/** The id that a row of the second model has under the numbers of the first: "encoder.layer.2.output" is that of layer 3, if it was it. */
export const idBefore = (id: string, layers: LayersKept | undefined): string =>
  layers === undefined
    ? id
    : id.replace(/^encoder\.layer\.(\d+)(?=\.|$)/, (whole, number) => {
        const was = layers[Number(number)];
        return was === undefined ? whole : `encoder.layer.${was}`;
      });

/** The tree with the ids of before, so that what stayed is joined with itself. */
export function alignedTree(node: TreeNode, layers: LayersKept | undefined): TreeNode {
  if (layers === undefined) return node;
  const { children } = node;
  return {
    ...node,
    id: idBefore(node.id, layers),
    ...(children && { children: children.map(child => alignedTree(child, layers)) }),
  };
}

export const alignedOrgans = (
  organs: ReadonlyMap<string, Linear | Table>,
  layers: LayersKept | undefined,
): ReadonlyMap<string, Linear | Table> =>
  layers === undefined ? organs : new Map([...organs].map(([id, organ]) => [idBefore(id, layers), organ]));
