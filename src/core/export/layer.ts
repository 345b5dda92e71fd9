import type { Layer, Linear } from '../anatomy/anatomy.ts';
import { activationOf } from './activation.ts';
import { type GraphBuilder, int } from './graph-builder.ts';

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
  const context = graph.within(`encoder.layer.${layer.index}.attention.self`, () => attention(graph, layer, hidden, mask));
  const attended = residual(graph, layer, graph.linear(context, layer.output), hidden);
  const inner = graph.norm(attended, layer.attentionNorm);
  const up = graph.linear(inner, layer.up);
  const active = graph.within(`encoder.layer.${layer.index}.intermediate`, () => activationOf(activation)(graph, up));
  return graph.norm(residual(graph, layer, graph.linear(active, layer.down), inner), layer.outputNorm);
}

const residual = (graph: GraphBuilder, { index }: Layer, value: string, read: string): string =>
  graph.within(`encoder.layer.${index}`, () => graph.node('Add', [value, read]));

/** softmax(Q K^T / sqrt(D) + mask) V over as many heads as the layer has left. */
function attention(graph: GraphBuilder, { query, key, value, heads, headDim }: Layer, hidden: string, mask: string): string {
  const byHead = (linear: Linear, perm: readonly number[]) =>
    graph.transpose(graph.reshape(graph.linear(hidden, linear), [0, 0, heads, linear.out / heads]), perm);
  const query_BHTD = byHead(query, [0, 2, 1, 3]);
  const key_BHDT = byHead(key, [0, 2, 3, 1]);
  const value_BHTD = byHead(value, [0, 2, 1, 3]);
  const scores = graph.node('Mul', [graph.node('MatMul', [query_BHTD, key_BHDT]), graph.number(1 / Math.sqrt(headDim))]);
  const probabilities = graph.node('Softmax', [graph.node('Add', [scores, mask])], { axis: int(-1) });
  const context = graph.transpose(graph.node('MatMul', [probabilities, value_BHTD]), [0, 2, 1, 3]);
  return graph.reshape(context, [0, 0, value.out]);
}
