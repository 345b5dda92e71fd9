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
  'PackedMultiHeadAttention',
]);

/** Operators of attention that keep what was read before, one token at a time. */
const generating = new Set([
  'GroupQueryAttention',
  'SparseAttention',
  'PagedAttention',
  'DecoderMaskedSelfAttention',
  'DecoderMaskedMultiHeadAttention',
]);

/** One sentence: why no BERT was found, and what the model looks like. */
export function takenFor(model: Model, misses: readonly Miss[]): Sentence {
  const stated = model.config.model_type;
  const { graph } = model;
  if (model.tensors.size === 0 && !graph?.nodes.length) return sentence('This file holds no tensors.');
  if (graph?.nodes.some(node => generating.has(node.opType))) return kindOf(model) ?? decoder();
  if (graph?.nodes.some(node => fused.has(node.opType) && !isAttention(node)) && !misses.includes('masks-future'))
    return sentence('This model was fused by an optimizer: its attention is one operator, which is shown but not taken apart.');
  if (misses.includes('fused-query-key-value'))
    return typeof stated === 'string'
      ? sentence('Not a BERT: {type}, with query, key and value in one matrix.', { type: stated })
      : sentence('Not a BERT: query, key and value are one matrix, as in GPT-2.');
  return (
    kindOf(model) ??
    byMisses(model, misses) ??
    (graph
      ? sentence('Not a BERT: attention was found, but not the layers around it.')
      : sentence('Not a BERT: the names of its tensors are those of no family that Headroom knows.'))
  );
}

const decoder = (): Sentence => sentence('Not a BERT: it looks like a decoder for text generation.');
const like = (type: string): Sentence => sentence('Not a BERT: it looks like {type}.', { type });

/** What the structure of a graph says. */
function byMisses({ graph, tensors }: Model, misses: readonly Miss[]): Sentence | undefined {
  const nodes = graph?.nodes ?? [];
  const has = (opType: string) => nodes.some(node => node.opType === opType);
  if (misses.includes('masks-future')) return has('ArgMax') ? like('CLIP') : decoder();
  if (misses.includes('relative-root-mean-square')) return like('T5');
  const kernels = nodes.filter(({ opType }) => opType === 'Conv').map(({ inputs }) => tensors.get(inputs[1] ?? '')?.shape.length);
  if (misses.includes('normalized-before')) {
    if (kernels.includes(4)) return sentence('Not a BERT: it looks like a Transformer for images.');
    if (kernels.includes(3)) return sentence('Not a BERT: it looks like a Transformer for sound.');
    return sentence('Not a BERT: its layers normalize before attention, as in GPT-2 and T5.');
  }
  if (has('Conv')) return sentence('Not a BERT: it looks like a convolutional network.');
  if (graph && misses.every(miss => miss === 'no-scores')) return sentence('Not a BERT: no attention was found in its graph.');
  return undefined;
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
