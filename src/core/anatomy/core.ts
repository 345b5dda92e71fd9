import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { readers } from './feed-forward.ts';
import { type Anchor, type Flow, multiplications } from './flow.ts';
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
  readonly bias?: Tensor;
  readonly relative: readonly Anchor[];
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
  const [query, key = query, value = query] = reads.map(read => projection(flow.root.get(read)));
  if (!context || !query || !key || !value) return undefined;
  const bias = attentionBias(flow.wiring, node);
  return { query, key, value, reads, context, ...thirds(query), ...(bias && { bias }), relative: [], heads: headsOf(node) };
}

/** Heads as the operator says them; 0 where it does not. */
const headsOf = (node: Node): number => integer(node, 'num_heads', 0) || integer(node, 'q_num_heads', 0);

function softmaxCore(flow: Flow, softmax: Node): Core | undefined {
  const summed = flow.root.get(softmax.inputs[0] ?? '');
  const { scores, relative } = scoresOf(summed);
  if (!scores) return undefined;
  const [query, key] = scores.from.map(projection) as [Anchor, Anchor];
  const probabilities = flow.root.get(softmax.outputs[0] ?? '');
  const context = probabilities && readers(probabilities).find(isProduct);
  const from = context?.from.find(anchor => anchor !== probabilities && projection(anchor));
  const value = projection(from);
  if (!context || !from || !value) return undefined;
  const reads = [...scores.reads, context.reads[context.from.indexOf(from)]!];
  const heads = query.product?.heads ?? 0;
  return { query, key, value, reads, context, ...thirds(query), relative, heads };
}

const thirds = ({ product }: Anchor): Pick<Core, 'packed'> => {
  const third = (product?.out ?? 0) / 3;
  return third > 0 && Number.isInteger(third) ? { packed: [third, third, third] } : {};
};

/** Sums, rotations by looked-up tables and the like between a projection and where it is read. */
const longestWay = 8;

/** The product behind an anchor: itself, or the one that is combined with what is looked up (rotary positions) or stored. */
function projection(anchor: Anchor | undefined): Anchor | undefined {
  for (let steps = 0; anchor && anchor.kind !== 'product' && steps < longestWay; steps++) {
    if (anchor.kind !== 'join' || isProduct(anchor)) return undefined;
    const others: Anchor[] = anchor.from.filter(source => source.kind !== 'table' && source.kind !== 'input');
    const distinct = new Set(others);
    if (distinct.size === 1) anchor = others[0];
    else
      anchor = others.find(
        source => source.kind === 'product' && others.every(each => each === source || each.from.includes(source)),
      );
  }
  return anchor?.kind === 'product' ? anchor : undefined;
}

/** Sums of scores that are looked through: relative positions stand beside them, in DeBERTa two of them. */
const mostSums = 32;

/** Q K^T behind the softmax's input, and the tables summed with it. */
function scoresOf(anchor: Anchor | undefined): { scores: Anchor | undefined; relative: readonly Anchor[] } {
  const seen = new Set<Anchor>();
  const relative: Anchor[] = [];
  let scores: Anchor | undefined;
  const waiting = anchor ? [anchor] : [];
  for (let next = waiting.shift(); next && seen.size < mostSums; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.kind === 'table') relative.push(next);
    if (next.kind !== 'join') continue;
    if (isProduct(next)) scores ??= isScores(next) ? next : undefined;
    else waiting.push(...next.from);
  }
  return { scores, relative };
}

function isScores({ from }: Anchor): boolean {
  if (from.length !== 2) return false;
  const [query, key] = from.map(projection);
  return query !== undefined && key !== undefined && query.from[0] !== undefined && query.from[0] === key.from[0];
}

const isProduct = (anchor: Anchor): boolean => anchor.kind === 'join' && multiplications.has(anchor.node!.opType);
