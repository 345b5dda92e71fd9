import type { Layer, Linear } from '../anatomy/anatomy.ts';
import { skipIds } from '../anatomy/ids.ts';
import { activationOf } from './activation.ts';
import { type GraphBuilder, int } from './graph-builder.ts';

// B batch, T tokens, H heads, D numbers of a head

/**
 * What is added to the score of a token that is not to be seen. fp16 holds numbers down to -65504: this one still has room for a
 * score beside it, so that a row without any token stays finite; and exp of it is 0 in every type, so that the others see what they
 * see in PyTorch, which adds the lowest number of the type.
 */
export const MASKED = -30_000;

/** attention_mask [batch, sequence], 1 for tokens, as what is added to the scores: [batch, 1, 1, sequence]. */
export function scoreMask(graph: GraphBuilder, mask: string): string {
  const wide = graph.node('Unsqueeze', [mask, graph.integers([1, 2])]);
  const seen = graph.node('Cast', [wide], { to: int(1) });
  return graph.node('Mul', [graph.node('Sub', [graph.number(1), seen]), graph.number(MASKED)]);
}

/** One layer, norms behind attention and feed-forward network. hidden [batch, sequence, hidden], mask as scoreMask gives it. */
export function addLayer(graph: GraphBuilder, layer: Layer, hidden: string, mask: string, activation: string): string {
  const context = attention(graph, layer, { queries: hidden, values: hidden }, mask);
  const ids = skipIds(layer.index);
  const attended = residual(graph, layer, graph.linear(context, layer.output), around(graph, layer, ids.attention, hidden));
  const inner = graph.norm(attended, layer.attentionNorm);
  const active = feedForward(graph, layer, inner, activation);
  return graph.norm(residual(graph, layer, active, around(graph, layer, ids.network, inner)), layer.outputNorm);
}

/** What is added behind a half: what enters it, turned where the layer has a matrix for that. */
function around(graph: GraphBuilder, { extra = [] }: Layer, id: string, hidden: string): string {
  const linear = extra.find(organ => organ.id === id)?.linear;
  return linear ? graph.linear(hidden, linear) : hidden;
}

export const residual = (graph: GraphBuilder, { index }: Pick<Layer, 'index'>, value: string, read: string): string =>
  graph.within(`encoder.layer.${index}`, () => graph.node('Add', [value, read]));

/** Wide, active, and narrow again. */
export function feedForward(
  graph: GraphBuilder,
  { up, down }: Pick<Layer, 'up' | 'down'>,
  value: string,
  activation: string,
): string {
  const wide = graph.linear(value, up);
  const active = graph.within(up.id.replace(/\.dense$/, ''), () => activationOf(activation)(graph, wide));
  return graph.linear(active, down);
}

/** softmax(Q K^T / sqrt(D) + mask) V over as many heads as the layer has left. Queries and keys read one value. */
export function attention(
  graph: GraphBuilder,
  { index, query, key, value, heads, headDim }: Layer,
  read: { readonly queries: string; readonly values: string },
  mask: string,
): string {
  return graph.within(`encoder.layer.${index}.attention.self`, () => {
    const query_BHTD = byHead(graph, read.queries, query, heads, [0, 2, 1, 3]);
    const key_BHDT = byHead(graph, read.queries, key, heads, [0, 2, 3, 1]);
    const value_BHTD = byHead(graph, read.values, value, heads, [0, 2, 1, 3]);
    const scores = graph.node('Mul', [graph.node('MatMul', [query_BHTD, key_BHDT]), graph.number(1 / Math.sqrt(headDim))]);
    const probabilities_BHTT = graph.node('Softmax', [graph.node('Add', [scores, mask])], { axis: int(-1) });
    return summed(graph, probabilities_BHTT, value_BHTD, value.out);
  });
}

/** A matrix's outputs by head: [batch, sequence, heads, D] with its axes in the order `perm`. */
export const byHead = (graph: GraphBuilder, read: string, linear: Linear, heads: number, perm: readonly number[]): string =>
  graph.transpose(graph.reshape(graph.linear(read, linear), [0, 0, heads, linear.out / heads]), perm);

/** What the heads make of the values, side by side: [batch, sequence, width]. */
export const summed = (graph: GraphBuilder, probabilities_BHTT: string, value_BHTD: string, width: number): string =>
  graph.reshape(graph.transpose(graph.node('MatMul', [probabilities_BHTT, value_BHTD]), [0, 2, 1, 3]), [0, 0, width]);
