import { type Sentence, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { UniqueNames } from '../model/unique-names.ts';
import type { Linear } from './anatomy.ts';
import type { Miss } from './block.ts';
import { type Flow, isAttention } from './flow.ts';
import { modulePath } from './hints.ts';
import { kindOf } from './kind.ts';
import { linearOf } from './organ.ts';
import type { Product } from './product.ts';

/** Fused operators of onnxruntime that hold whole organs; they are read as they are, not taken apart. */
const fused = new Set([
  'Attention',
  'MultiHeadAttention',
  'EmbedLayerNormalization',
  'SkipLayerNormalization',
  'QAttention',
  'PackedAttention',
]);

/** One sentence: why no BERT was found, and what the model looks like. */
export function takenFor(model: Model, misses: readonly Miss[]): Sentence {
  const stated = model.config.model_type;
  if (model.tensors.size === 0 && !model.graph?.nodes.length) return sentence('This file holds no tensors.');
  const operators = new Set(model.graph?.nodes.map(node => node.opType));
  if (model.graph?.nodes.some(node => fused.has(node.opType) && !isAttention(node)))
    return sentence('This model was fused by an optimizer: its attention is one operator, which is shown but not taken apart.');
  if (misses.includes('fused-query-key-value'))
    return typeof stated === 'string'
      ? sentence('Not a BERT: {type}, with query, key and value in one matrix.', { type: stated })
      : sentence('Not a BERT: query, key and value are one matrix, as in GPT-2.');
  const kind = kindOf(model);
  if (kind) return kind;
  if (misses.includes('normalized-before'))
    return sentence('Not a BERT: its layers normalize before attention, as in GPT-2 and T5.');
  if (operators.has('Conv')) return sentence('Not a BERT: it looks like a convolutional network.');
  if (!model.graph) return sentence('Not a BERT: the names of its tensors are those of no family that Headroom knows.');
  if (misses.length === 0 || misses.every(miss => miss === 'no-scores'))
    return sentence('Not a BERT: no attention was found in its graph.');
  return sentence('Not a BERT: attention was found, but not the layers around it.');
}

/** Every constant matrix that the graph multiplies by, named by its tensor. */
export function looseLinears(flow: Flow): Linear[] {
  const byWeight = new Map<string, Product[]>();
  for (const { product } of flow.anchors) {
    if (!product) continue;
    const others = byWeight.get(product.weight.name);
    if (others) others.push(product);
    else byWeight.set(product.weight.name, [product]);
  }
  const ids = new UniqueNames();
  return [...byWeight.values()].map(products =>
    linearOf(ids.unique(modulePath(products[0]!.weight.name)), products as [Product, ...Product[]]),
  );
}
