import { UniqueNames } from '../model/unique-names.ts';
import type { TreeNode } from './tree.ts';

/** The tree with every id told apart: names of tensors are free text, and one may be another row's path. The tree itself where nothing is twice. */
export function withUniqueIds(root: TreeNode): TreeNode {
  return areUnique(root, new Set()) ? root : renamed(root);
}

function areUnique(node: TreeNode, seen: Set<string>): boolean {
  const { size } = seen;
  if (seen.add(node.id).size === size) return false;
  const { children } = node;
  if (children) for (let at = 0; at < children.length; at++) if (!areUnique(children[at]!, seen)) return false;
  return true;
}

function renamed(root: TreeNode): TreeNode {
  const names = new UniqueNames();
  const visit = (node: TreeNode): TreeNode => {
    const id = names.unique(node.id);
    const children = node.children?.map(visit);
    const isSame = id === node.id && (children?.every((child, index) => child === node.children![index]) ?? true);
    return isSame ? node : { ...node, id, ...(children && { children }) };
  };
  return visit(root);
}
