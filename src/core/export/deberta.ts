import type { Anatomy } from '../anatomy/anatomy.ts';
import { activationOf } from './activation.ts';
import { disentangledAttention, relativePositions } from './disentangled.ts';
import { type GraphBuilder, int, ints } from './graph-builder.ts';
import type { Inputs } from './inputs.ts';
import { feedForward, residual } from './layer.ts';
import { Organs } from './organs.ts';
import { type Settings, text } from './settings.ts';

/**
 * DeBERTa-v2 and v3 behind the embeddings, as DebertaV2Encoder of transformers 5.23 computes it: BERT's layers with disentangled attention, and
 * a convolution beside the first in models that have one. A token that pads looks at none, and all scores of none are equal.
 */
export function addDeberta(
  graph: GraphBuilder,
  { layers, encoderExtra }: Anatomy,
  embedded: string,
  { ids, mask }: Inputs,
  settings: Settings,
): string {
  const organs = new Organs(encoderExtra);
  const relative = relativePositions(graph, ids, organs, settings);
  const seen = graph.within('encoder', () => pairs(graph, mask));
  let hidden = embedded;
  for (const layer of layers) {
    const context = disentangledAttention(graph, layer, hidden, seen, relative);
    const inner = graph.norm(residual(graph, layer, graph.linear(context, layer.output), hidden), layer.attentionNorm);
    const active = feedForward(graph, layer, inner, settings.activation);
    hidden = graph.norm(residual(graph, layer, active, inner), layer.outputNorm);
    if (layer.index === 0 && organs.has('encoder.conv.conv')) hidden = convolved(graph, organs, embedded, hidden, mask, settings);
  }
  return hidden;
}

/** [batch, 1, T, T]: both are tokens. */
function pairs(graph: GraphBuilder, mask: string): string {
  const [row, column] = [2, 3].map(axis => graph.node('Unsqueeze', [mask, graph.integers([1, 5 - axis])]));
  return graph.node('Cast', [graph.node('Mul', [row!, column!])], { to: int(9) });
}

/** What a convolution over the embeddings of neighbouring tokens adds to the first layer; nothing where there is no token. */
function convolved(
  graph: GraphBuilder,
  organs: Organs,
  embedded: string,
  hidden: string,
  mask: string,
  { config }: Settings,
): string {
  const id = 'encoder.conv.conv';
  const [weight, bias] = [organs.tensor(id, 'weight'), organs.tensor(id, 'bias')];
  const [outputs = 1, , width = 1] = weight.shape;
  const [, inputs = outputs] = weight.shape;
  const side = (width - 1) >> 1;
  const normed = graph.within(id.replace(/\.conv$/, ''), () => {
    const kernel = [graph.parameter(weight, `${id}.weight`), graph.parameter(bias, `${id}.bias`)];
    const made = graph.within(id, () =>
      graph.node('Conv', [graph.transpose(embedded, [0, 2, 1]), ...kernel], {
        kernel_shape: ints([width]),
        pads: ints([side, side]),
        group: int(outputs / inputs),
      }),
    );
    const tokens = asFactor(graph, mask);
    const kept = graph.node('Mul', [graph.transpose(made, [0, 2, 1]), tokens]);
    const active = activationOf(text(config, 'conv_act') ?? 'tanh')(graph, kept);
    return { sum: graph.node('Add', [hidden, active]), tokens };
  });
  return graph.node('Mul', [graph.norm(normed.sum, organs.norm('encoder.conv.LayerNorm')), normed.tokens]);
}

/** attention_mask [batch, sequence] as 1 and 0 for each token's vector: [batch, sequence, 1]. */
export const asFactor = (graph: GraphBuilder, mask: string): string =>
  graph.node('Cast', [graph.node('Unsqueeze', [mask, graph.integers([-1])])], { to: int(1) });
