import type { Anatomy, Linear, Table } from '../anatomy/anatomy.ts';
import { throwIfCancelled } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignedOrgans, alignedTree, type LayersKept } from './aligned.ts';
import type { Change, Comparison, ComparisonNode, ComparisonRow, Side, Sizes, WeightError } from './comparison.ts';
import { headsKept } from './heads-kept.ts';
import { organsById } from './organs.ts';
import { summarize } from './summary.ts';
import type { Summary, TreeNode } from './tree.ts';
import { tensorError, weightError } from './weight-error.ts';

export interface CompareOptions {
  /** Where layers went: for each layer of the second model the layer of the first that it was. Rows have the first model's numbers. */
  readonly layers?: LayersKept;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number, what: string) => void;
}

interface Sided {
  readonly model: Model;
  readonly anatomy: Anatomy;
}

const equal: WeightError = { relative: 0, cosine: 1, maxAbs: 0 };

/** Joins two models organ by organ. Reads every tensor that both have, once. */
export async function compareModels(before: Sided, after: Sided, options: CompareOptions = {}): Promise<Comparison> {
  const summaries = { before: summarize(before.model, before.anatomy), after: summarize(after.model, after.anatomy) };
  const joiner = new Joiner(before, after, summaries.before.model.byteLength, options);
  const tree = await joiner.join(summaries.before.tree, alignedTree(summaries.after.tree, options.layers));
  const kept = options.layers ? undefined : headsKept(before, after);
  return {
    version: 1,
    names: { before: before.model.name, after: after.model.name },
    totals: { before: sizes(summaries.before), after: sizes(summaries.after) },
    rows: joiner.rows,
    tree,
    heads: { before: summaries.before.model.heads, after: summaries.after.model.heads, ...(kept && { kept }) },
    outputs: null,
    task: null,
  };
}

const sizes = ({ file, model }: Summary): Sizes => ({
  parameters: model.parameters,
  byteLength: model.byteLength,
  fileBytes: file.byteLength,
});

/** Walks both trees at once; has a life because it counts what it has read. */
class Joiner {
  readonly rows: ComparisonRow[] = [];
  private readonly before: Sided;
  private readonly after: Sided;
  private readonly organsBefore: ReadonlyMap<string, Linear | Table>;
  private readonly organsAfter: ReadonlyMap<string, Linear | Table>;
  private readonly totalBytes: number;
  private readonly options: CompareOptions;
  private doneBytes = 0;

  constructor(before: Sided, after: Sided, totalBytes: number, options: CompareOptions) {
    this.before = before;
    this.after = after;
    this.organsBefore = organsById(before.anatomy);
    this.organsAfter = alignedOrgans(organsById(after.anatomy), options.layers);
    this.totalBytes = totalBytes;
    this.options = options;
  }

  async join(before: TreeNode | undefined, after: TreeNode | undefined, acting?: WeightError): Promise<ComparisonNode> {
    throwIfCancelled(this.options.signal);
    const node = (before ?? after)!;
    const error = (before && after && (await this.organError(node.id))) ?? undefined;
    const children: ComparisonNode[] = [];
    for (const [left, right] of pairs(before?.children ?? [], after?.children ?? []))
      children.push(await this.join(left, right, error));
    if (children.length > 0) return joined(before, after, changeOf(before, after, children), error, children);
    return this.leaf(before, after, error ?? (isWeight(node) ? acting : undefined));
  }

  /** The error of the matrix or table as it acts, when both models have it and it is not byte for byte the same. */
  private async organError(id: string): Promise<WeightError | undefined> {
    const [left, right] = [this.organsBefore.get(id), this.organsAfter.get(id)];
    if (!left || !right || (await sameTensor(left.weight, right.weight, this.options.signal))) return undefined;
    return (await weightError(left, right, this.options.signal)) ?? undefined;
  }

  private async leaf(
    before: TreeNode | undefined,
    after: TreeNode | undefined,
    acting: WeightError | undefined,
  ): Promise<ComparisonNode> {
    const [left, right] = [tensorOf(this.before.model, before), tensorOf(this.after.model, after)];
    const both = left && right;
    const same = both ? await sameTensor(left, right, this.options.signal) : before?.byteLength === after?.byteLength;
    const change: Change = !before ? 'added' : !after ? 'removed' : same ? 'same' : 'changed';
    const error = same && both ? equal : (acting ?? (both ? await tensorError(left, right, this.options.signal) : null));
    if (left || right) {
      const row = { id: (before ?? after)!.id, change, before: side(before), after: side(after), error };
      this.rows.push(row);
    }
    this.doneBytes += before?.byteLength ?? 0;
    this.options.progress?.(Math.min(this.doneBytes, this.totalBytes), this.totalBytes, (before ?? after)!.id);
    return joined(before, after, change, error ?? undefined, []);
  }
}

/** Is this leaf the weight of the organ above it? */
const isWeight = (leaf: TreeNode): boolean => leaf.id.endsWith('.weight');

/** Children of two parents by id: those of `before` in their order, each followed by what `after` adds behind it. */
function pairs(before: readonly TreeNode[], after: readonly TreeNode[]): [TreeNode | undefined, TreeNode | undefined][] {
  const left = new Map(before.map(node => [node.id, node]));
  const right = new Map(after.map(node => [node.id, node]));
  const result: [TreeNode | undefined, TreeNode | undefined][] = [];
  const added = (start: number) => {
    for (let i = start; i < after.length && !left.has(after[i]!.id); i++) result.push([undefined, after[i]]);
  };
  const placeOf = new Map(after.map((node, index) => [node.id, index]));
  added(0);
  for (const node of before) {
    result.push([node, right.get(node.id)]);
    const place = placeOf.get(node.id);
    if (place !== undefined) added(place + 1);
  }
  return result;
}

function changeOf(before: TreeNode | undefined, after: TreeNode | undefined, children: readonly ComparisonNode[]): Change {
  if (!before) return 'added';
  if (!after) return 'removed';
  return children.every(child => child.change === 'same') ? 'same' : 'changed';
}

function joined(
  before: TreeNode | undefined,
  after: TreeNode | undefined,
  change: Change,
  error: WeightError | undefined,
  children: readonly ComparisonNode[],
): ComparisonNode {
  const { id, kind, title, titleSentence } = (before ?? after)!;
  return {
    id,
    kind,
    title,
    ...(titleSentence && { titleSentence }),
    change,
    before: measures(before),
    after: measures(after),
    ...(error && { error }),
    ...(children.length > 0 && { children }),
  };
}

function measures(node: TreeNode | undefined): ComparisonNode['before'] {
  if (!node) return null;
  const { parameters, byteLength, dtype, shape } = node;
  return { parameters, byteLength, ...(dtype && { dtype }), ...(shape && { shape }) };
}

function side(node: TreeNode | undefined): Side | null {
  if (!node) return null;
  return { dtype: node.dtype ?? '', shape: node.shape ?? [], parameters: node.parameters, byteLength: node.byteLength };
}

function tensorOf(model: Model, leaf: TreeNode | undefined): Tensor | undefined {
  const name = leaf?.tensors?.[0];
  return name === undefined ? undefined : model.tensors.get(name);
}

const compareChunk = 4 * 2 ** 20;

/** Same type, same shape, same bytes. */
async function sameTensor(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<boolean> {
  if (a.dtype !== b.dtype || a.byteLength !== b.byteLength || a.shape.join() !== b.shape.join()) return false;
  for (let start = 0; start < a.byteLength; start += compareChunk) {
    const end = Math.min(a.byteLength, start + compareChunk);
    const [left, right] = await Promise.all([a.bytes(start, end, signal), b.bytes(start, end, signal)]);
    if (Buffer.compare(left, right) !== 0) return false;
  }
  return true;
}
