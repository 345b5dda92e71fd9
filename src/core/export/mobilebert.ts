import type { Anatomy, Layer, Norm } from '../anatomy/anatomy.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { Inputs } from './inputs.ts';
import { attention, feedForward, residual, scoreMask } from './layer.ts';
import { Organs } from './organs.ts';
import { flag, type Settings, text } from './settings.ts';

/** PyTorch's own epsilon, which transformers leaves to the norms that it gives none. */
const EPSILON = 1e-5;

/**
 * MobileBERT behind the embeddings: each layer works in a narrower space between two bottlenecks, with several feed-forward networks, one
 * behind the other. source: Sun et al., MobileBERT, ACL 2020; MobileBertLayer of transformers 5.23
 */
export function addMobilebert(
  graph: GraphBuilder,
  { layers }: Anatomy,
  embedded: string,
  { mask }: Inputs,
  settings: Settings,
): string {
  const shown = graph.within('encoder', () => scoreMask(graph, mask));
  return layers.reduce((hidden, layer) => addLayer(graph, layer, hidden, shown, settings), embedded);
}

function addLayer(graph: GraphBuilder, layer: Layer, hidden: string, mask: string, settings: Settings): string {
  const { config, activation } = settings;
  const hasBottleneck = flag(config, 'use_bottleneck', true);
  const organs = new Organs(layer.extra);
  const at = (path: string) => `encoder.layer.${layer.index}.${path}`;
  const squeezed = (path: string) => squeeze(graph, organs, at(path), hidden, settings);
  const read = hasBottleneck ? squeezed('bottleneck.input') : hidden;
  const context = attention(graph, layer, readBy(), mask);
  let inner = normed(residual(graph, layer, graph.linear(context, layer.output), read), layer.attentionNorm);
  for (let index = 0; organs.has(at(`ffn.${index}.intermediate.dense`)); index++) {
    const [up, down] = ['intermediate.dense', 'output.dense'].map(path => organs.linear(at(`ffn.${index}.${path}`)));
    const made = feedForward(graph, { up: up!, down: down! }, inner, activation);
    inner = normed(residual(graph, layer, made, inner), organs.norm(at(`ffn.${index}.output.LayerNorm`)));
  }
  const made = residual(graph, layer, feedForward(graph, layer, inner, activation), inner);
  const narrow = addNorm(graph, made, layer.outputNorm, settings, EPSILON);
  if (!hasBottleneck) return narrow;
  const wide = graph.linear(narrow, organs.linear(at('output.bottleneck.dense')));
  return normed(residual(graph, layer, wide, hidden), organs.norm(at('output.bottleneck.LayerNorm')));

  function normed(value: string, norm: Norm): string {
    return addNorm(graph, value, norm, settings);
  }

  /** Queries and keys, and values, read the layer's narrow input, a narrow one of their own, or the wide one. */
  function readBy(): { queries: string; values: string } {
    if (!hasBottleneck || flag(config, 'use_bottleneck_attention', false)) return { queries: read, values: read };
    const isShared = flag(config, 'key_query_shared_bottleneck', true);
    return { queries: isShared ? squeezed('bottleneck.attention') : hidden, values: hidden };
  }
}

const squeeze = (graph: GraphBuilder, organs: Organs, id: string, value: string, settings: Settings): string =>
  addNorm(graph, graph.linear(value, organs.linear(`${id}.dense`)), organs.norm(`${id}.LayerNorm`), settings);

/** MobileBERT's norm only scales and shifts, unless config.json says otherwise. */
export function addNorm(graph: GraphBuilder, value: string, norm: Norm, { config }: Settings, epsilon?: number): string {
  if (text(config, 'normalization_type') === 'layer_norm') return graph.norm(value, norm, epsilon);
  return graph.scaled(value, norm);
}

/** The embedding's norm has PyTorch's own epsilon, too. */
export const addEmbeddingNorm = (graph: GraphBuilder, value: string, norm: Norm, settings: Settings): string =>
  addNorm(graph, value, norm, settings, EPSILON);
