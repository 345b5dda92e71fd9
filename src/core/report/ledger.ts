import { type Sentence, say } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { identityOf, storedBytes } from './stored-bytes.ts';
import { copyTitle, sharedTitle } from './titles.ts';
import type { NodeKind, TreeNode } from './tree.ts';

/** A row above others: its sizes are theirs. */
export function branch(id: string, kind: NodeKind, title: Sentence, children: readonly TreeNode[]): TreeNode {
  return {
    id,
    kind,
    title: say(title),
    titleSentence: title,
    parameters: children.reduce((sum, child) => sum + child.parameters, 0),
    byteLength: children.reduce((sum, child) => sum + child.byteLength, 0),
    children,
  };
}

/** A row of bytes that are no tensor. */
export const bytesRow = (id: string, title: Sentence, byteLength: number): TreeNode => ({
  id,
  kind: 'other',
  title: say(title),
  titleSentence: title,
  parameters: 0,
  byteLength,
});

/** Hands out rows for tensors and remembers which it has counted: the first row of a tensor has its sizes, later ones have none. */
export class Ledger {
  /** Bytes in the files that belong to no tensor although they lie among them. */
  readonly left: number;
  /** Bytes of tensors counted so far, second copies left out, by dtype. */
  readonly byDtype = new Map<string, number>();
  private readonly owners = new Map<string, string>();
  private readonly bytes: ReadonlyMap<string, number>;
  private readonly copies: ReadonlyMap<string, string>;
  private readonly model: Model;

  constructor(model: Model, copies: ReadonlyMap<string, string>) {
    const { bytes, left } = storedBytes(model);
    this.model = model;
    this.bytes = bytes;
    this.left = left;
    this.copies = copies;
  }

  has(tensor: Tensor): boolean {
    return this.owners.has(identityOf(tensor));
  }

  /** `parameters`: how many numbers of the model it stands for; its elements unless said otherwise. */
  row(id: string, title: Sentence, tensor: Tensor, parameters = elementCount(tensor.shape)): TreeNode {
    const identity = identityOf(tensor);
    const owner = this.owners.get(identity);
    if (owner !== undefined) return this.leaf(id, sharedTitle(owner), tensor, 0, 0, []);
    this.owners.set(identity, id);
    const byteLength = this.bytes.get(identity) ?? 0;
    const original = this.copies.get(tensor.name);
    if (original !== undefined) return this.leaf(id, copyTitle(this.ownerOf(original)), tensor, 0, byteLength);
    this.byDtype.set(tensor.dtype, (this.byDtype.get(tensor.dtype) ?? 0) + byteLength);
    return this.leaf(id, title, tensor, parameters, byteLength);
  }

  /** The row that counts a tensor, or its own name. */
  private ownerOf(name: string): string {
    const tensor = this.model.tensors.get(name);
    return (tensor && this.owners.get(identityOf(tensor))) ?? name;
  }

  private leaf(
    id: string,
    title: Sentence,
    tensor: Tensor,
    parameters: number,
    byteLength: number,
    tensors = [tensor.name],
  ): TreeNode {
    const { dtype, shape } = tensor;
    const named = tensors.length > 0 ? { tensors } : {};
    return { id, kind: 'tensor', title: say(title), titleSentence: title, parameters, byteLength, dtype, shape, ...named };
  }
}
