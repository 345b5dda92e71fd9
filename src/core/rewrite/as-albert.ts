import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';
import { held } from '../passes/computed.ts';
import { stored } from '../passes/factorize/factors.ts';
import type { Tensor } from '../tensor/tensor.ts';

// BERT's layer 3 of groups 0-2 and 3-5 becomes encoder.albert_layer_groups.1.albert_layers.0. Embeddings are as wide as the hidden
// states, so that what widens them is the identity. source: AlbertConfig and AlbertModel of transformers 5.23

/** BERT's layer organ -> ALBERT's. */
const organs: readonly (readonly [string, string])[] = [
  ['attention.self.query.', 'attention.query.'],
  ['attention.self.key.', 'attention.key.'],
  ['attention.self.value.', 'attention.value.'],
  ['attention.output.dense.', 'attention.dense.'],
  ['attention.output.LayerNorm.', 'attention.LayerNorm.'],
  ['intermediate.dense.', 'ffn.'],
  ['output.dense.', 'ffn_output.'],
  ['output.LayerNorm.', 'full_layer_layer_norm.'],
];

export interface Albert {
  /** The name of a BERT's tensor in an ALBERT. */
  names(name: string): string;
  readonly added: readonly Tensor[];
  readonly config: Model['config'];
}

/** `groups` cover all layers; each has the tensors of its first left. */
export function asAlbert(
  { config, tensors }: Model,
  { hidden, layers }: Anatomy,
  groups: readonly (readonly number[])[],
): Albert {
  const places = new Map(groups.map((group, place) => [group[0]!, place]));
  const prefix = [...tensors.keys()].some(name => name.startsWith('bert.')) ? 'albert.' : '';
  const { dtype } = layers[0]!.query.weight;
  const mapping = `${prefix}encoder.embedding_hidden_mapping_in`;
  const identity = Float32Array.from({ length: hidden * hidden }, (_, i) => (i % (hidden + 1) === 0 ? 1 : 0));
  const zeros = new Float32Array(hidden);
  const { architectures } = config;
  return {
    names: name => albertName(name.replace(/^bert\./, prefix), places),
    added: [
      held(`${mapping}.weight`, dtype, [hidden, hidden], stored(identity, dtype)),
      held(`${mapping}.bias`, dtype, [hidden], stored(zeros, dtype)),
    ],
    config: {
      ...config,
      ...(Array.isArray(architectures) && { architectures: architectures.map(name => String(name).replace(/^Bert/, 'Albert')) }),
      model_type: 'albert',
      embedding_size: hidden,
      num_hidden_groups: groups.length,
      inner_group_num: 1,
      // ALBERT's own is another one where none is said.
      hidden_act: config.hidden_act ?? 'gelu',
    },
  };
}

function albertName(name: string, places: ReadonlyMap<number, number>): string {
  const layer = name.match(/^(.*?)encoder\.layer\.(\d+)\.(.+)$/);
  if (!layer) return name.replace(/(^|\.)pooler\.dense\.(weight|bias)$/, '$1pooler.$2');
  const [, before = '', index, path = ''] = layer;
  const [from, to] = organs.find(([organ]) => path.startsWith(organ)) ?? ['', ''];
  return `${before}encoder.albert_layer_groups.${places.get(Number(index))}.albert_layers.0.${to}${path.slice(from.length)}`;
}
