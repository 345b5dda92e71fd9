import { type Sentence, say } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { type Stored, storedBytes } from './stored-bytes.ts';
import { copyTitle, sharedTitle } from './titles.ts';
import type { NodeKind, TreeNode } from './tree.ts';

/** A row above others: its sizes are theirs. */
export function branch(id: string, kind: NodeKind, title: Sentence | string, children: readonly TreeNode[]): TreeNode {
  let parameters = 0;
  let byteLength = 0;
  for (const child of children) {
    parameters += child.parameters;
    byteLength += child.byteLength;
  }
  if (typeof title === 'string') return { id, kind, title, parameters, byteLength, children };
  return { id, kind, title: english(title), titleSentence: title, parameters, byteLength, children };
}

/** A row of bytes that are no tensor. */
export const bytesRow = (id: string, title: Sentence, byteLength: number): TreeNode => ({
  id,
  kind: 'other',
  title: english(title),
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
  private readonly stored: ReadonlyMap<Tensor, Stored>;
  private readonly copies: ReadonlyMap<string, string>;
  private readonly model: Model;

  constructor(model: Model, copies: ReadonlyMap<string, string>) {
    const { stored, left } = storedBytes(model);
    this.model = model;
    this.stored = stored;
    this.left = left;
    this.copies = copies;
  }

  has(tensor: Tensor): boolean {
    return this.ownerOf(tensor) !== undefined;
  }

  /** `parameters`: how many numbers of the model it stands for; its elements unless said otherwise. `dtype`: what they are, where words of another type hold them. */
  row(
    id: string,
    title: Sentence | string,
    tensor: Tensor,
    parameters = elementCount(tensor.shape),
    dtype: string = tensor.dtype,
  ): TreeNode {
    const stored = this.stored.get(tensor);
    if (stored?.owner !== undefined) return leaf(id, sharedTitle(stored.owner), tensor, 0, 0, false);
    if (stored) stored.owner = id;
    const byteLength = stored?.byteLength ?? 0;
    const original = this.copies.get(tensor.name);
    if (original !== undefined) return leaf(id, copyTitle(this.rowOf(original)), tensor, 0, byteLength);
    this.byDtype.set(dtype, (this.byDtype.get(dtype) ?? 0) + byteLength);
    return leaf(id, title, tensor, parameters, byteLength);
  }

  private ownerOf(tensor: Tensor): string | undefined {
    return this.stored.get(tensor)?.owner;
  }

  /** The row that counts a tensor, or its own name. */
  private rowOf(name: string): string {
    const tensor = this.model.tensors.get(name);
    return (tensor && this.ownerOf(tensor)) ?? name;
  }
}

function leaf(
  id: string,
  title: Sentence | string,
  tensor: Tensor,
  parameters: number,
  byteLength: number,
  isNamed = true,
): TreeNode {
  const { name, dtype, shape } = tensor;
  const kind = 'tensor';
  // Written out: a file may have 50,000 of them, and each spread makes an object for nothing. A name has no sentence to translate.
  if (typeof title === 'string') return { id, kind, title, parameters, byteLength, dtype, shape, tensors: [name] };
  const shown = english(title);
  if (!isNamed) return { id, kind, title: shown, titleSentence: title, parameters, byteLength, dtype, shape };
  return { id, kind, title: shown, titleSentence: title, parameters, byteLength, dtype, shape, tensors: [name] };
}

const english = (title: Sentence): string => (title.args ? say(title) : title.text);
