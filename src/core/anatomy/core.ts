import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { constantOf } from './constant.ts';
import { type Disentangled, disentangledIn, partBiases } from './disentangled.ts';
import { readers } from './feed-forward.ts';
import { type Anchor, type Flow, multiplications, pathTo } from './flow.ts';
import { attentionBias, isGivenAttention, isPackedAttention, packedSizes } from './fused.ts';
import { integer } from './wiring.ts';

/** Attention itself: the products it reads, the values through which it reads them, and what it makes. */
export interface Core {
  readonly query: Anchor;
  readonly key: Anchor;
  readonly value: Anchor;
  readonly reads: readonly string[];
  readonly context: Anchor;
  /** Outputs of query, key and value where they are one matrix. */
  readonly packed?: readonly [number, number, number];
  /** They lie one behind the other within each head, not each as a third of the matrix. */
  readonly isByHead?: boolean;
  /** Key and value are one matrix, one behind the other within each head. */
  readonly isPair?: boolean;
  readonly bias?: Tensor;
  /** Biases that are added behind a matrix of all three, by their names. */
  readonly biases?: readonly (readonly [string, Tensor])[];
  readonly disentangled?: Disentangled;
  /** Tables of relative positions that the scores are summed with, and of positions that query and key are turned by. */
  readonly relative: readonly Anchor[];
  readonly turning?: readonly Anchor[];
  readonly heads: number;
}

export function coreOf(flow: Flow, node: Node): Core | undefined {
  if (isPackedAttention(flow.wiring, node)) return packedCore(flow, node);
  return isGivenAttention(node) ? givenCore(flow, node) : softmaxCore(flow, node);
}

/** onnxruntime's Attention, which holds the matrix of query, key and value. */
function packedCore(flow: Flow, node: Node): Core | undefined {
  const context = flow.root.get(node.outputs[0] ?? '');
  const matrix = context?.from[0];
  const packed = matrix?.product && packedSizes(node, matrix.product.out);
  if (!context || !packed) return undefined;
  return { query: matrix, key: matrix, value: matrix, reads: [], context, packed, relative: [], heads: headsOf(node) };
}

/** Query, key and value as the first inputs of the operator. */
function givenCore(flow: Flow, node: Node): Core | undefined {
  const context = flow.root.get(node.outputs[0] ?? '');
  const reads = node.inputs.slice(0, 3).filter(read => read !== '');
  const [query, key = query, value = key] = reads.map(read => projection(flow.root.get(read)));
  if (!context || !query || !key || !value) return undefined;
  const bias = attentionBias(flow.wiring, node);
  const shared = { query, key, value, reads, context, ...(bias && { bias }), relative: [], heads: headsOf(node) };
  if (reads.length === 2 && key === value && query !== key) return { ...shared, isPair: true };
  return { ...shared, ...thirds(query), ...(reads.length === 1 && { isByHead: true }) };
}

/** Heads as the operator says them; 0 where it does not. */
const headsOf = (node: Node): number => integer(node, 'num_heads', 0) || integer(node, 'q_num_heads', 0);

function softmaxCore(flow: Flow, softmax: Node): Core | undefined {
  const summed = flow.root.get(softmax.inputs[0] ?? '');
  const { scores, relative, products, sums } = scoresOf(summed);
  if (!scores) return undefined;
  const [query, key] = scores.from.map(each => projection(each)) as [Anchor, Anchor];
  const probabilities = flow.root.get(softmax.outputs[0] ?? '');
  const context = probabilities && readers(probabilities).find(isProduct);
  const from = context?.from.find(anchor => anchor !== probabilities && projection(anchor));
  const value = projection(from);
  if (!context || !from || !value) return undefined;
  const reads = [...scores.reads, context.reads[context.from.indexOf(from)]!];
  const disentangled = disentangledIn(flow, { products, sums, query, key });
  const biases = query === value ? partBiases(flow, reads, query.product!.out / 3) : [];
  const turning = [...new Set(scores.from.flatMap(sumsBefore))].filter(({ kind }) => kind === 'table');
  return {
    query,
    key,
    value,
    reads,
    context,
    ...thirds(query),
    isByHead: splitsHeadsFirst(flow, reads[0]!),
    relative,
    ...(disentangled && { disentangled }),
    ...(biases.length > 0 && { biases }),
    turning,
    heads: query.product?.heads ?? 0,
  };
}

const thirds = ({ product }: Anchor): Pick<Core, 'packed'> => {
  const third = (product?.out ?? 0) / 3;
  return third > 0 && Number.isInteger(third) ? { packed: [third, third, third] } : {};
};

/** Sums that are looked through: relative positions stand beside scores, in DeBERTa two of them; positions turn query and key. */
const mostSums = 32;

/** The product behind an anchor: itself, or the one that is combined with what is looked up (rotary positions) or stored. */
function projection(anchor: Anchor | undefined): Anchor | undefined {
  if (!anchor || anchor.kind === 'product') return anchor;
  const before = sumsBefore(anchor);
  const others = before.filter(({ kind }) => kind !== 'product' && kind !== 'table');
  const products = before.filter(({ kind }) => kind === 'product');
  return products.length === 1 && others.every(each => each.kind === 'join' && !isProduct(each)) ? products[0] : undefined;
}

/** An anchor and what flows into it through sums and the like, up to products of any kind. */
function sumsBefore(anchor: Anchor): Anchor[] {
  const seen = new Set<Anchor>();
  const waiting = [anchor];
  for (let next = waiting.shift(); next && seen.size < mostSums; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.kind === 'join' && !isProduct(next)) for (const source of next.from.slice(0, mostSums)) waiting.push(source);
  }
  return [...seen];
}

/** Is the matrix's output split into heads before it is split into query, key and value? */
function splitsHeadsFirst(flow: Flow, value: string): boolean {
  const path = pathTo(flow, value);
  const parts = path.findIndex(node => node.opType === 'Split' || node.opType === 'Slice');
  const heads = path.findIndex(node => node.opType === 'Reshape');
  if (parts < 0 || heads < 0 || heads > parts) return false;
  const shape = path[heads]!.inputs[1] ?? '';
  const stored = constantOf(flow.wiring, shape)?.tensor;
  const rank = stored ? stored.shape[0] : flow.wiring.producer.get(shape)?.inputs.length;
  return rank === 4 && [3, -1].includes(integer(path[parts]!, 'axis', path[parts]!.opType === 'Split' ? 0 : -1));
}

/** Q K^T behind the softmax's input, and what is summed with it: tables, and other products of activations. */
function scoresOf(anchor: Anchor | undefined) {
  const summed = anchor ? sumsBefore(anchor) : [];
  const products = summed.filter(isProduct);
  const candidates = products.filter(isScores);
  const scores = candidates.find(({ from }) => projection(from[0])?.from[0] === projection(from[1])?.from[0]) ?? candidates[0];
  return {
    scores,
    relative: summed.filter(({ kind }) => kind === 'table'),
    products: products.filter(each => each !== scores),
    sums: summed.filter(each => each.kind === 'join' && !isProduct(each)),
  };
}

function isScores({ from }: Anchor): boolean {
  if (from.length !== 2) return false;
  const [query, key] = from.map(each => projection(each));
  return query?.from[0] !== undefined && key?.from[0] !== undefined;
}

const isProduct = (anchor: Anchor): boolean => anchor.kind === 'join' && multiplications.has(anchor.node!.opType);
