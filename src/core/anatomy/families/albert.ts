import { count, type Family } from './family.ts';

/** ALBERT's layer organ -> BERT's. */
const organs: Readonly<Record<string, string>> = {
  'attention.query': 'attention.self.query',
  'attention.key': 'attention.self.key',
  'attention.value': 'attention.self.value',
  'attention.dense': 'attention.output.dense',
  'attention.LayerNorm': 'attention.output.LayerNorm',
  ffn: 'intermediate.dense',
  ffn_output: 'output.dense',
  full_layer_layer_norm: 'output.LayerNorm',
};

/** Few stored layers run many times, in groups; narrow embeddings are projected inside the encoder. */
export const albert: Family = {
  id: 'albert',
  alike: [],
  base: 'albert.',
  query: /^(.*?)encoder\.albert_layer_groups\.\d+\.albert_layers\.\d+\.attention\.query\.weight$/,
  organ(path, config) {
    if (/^embeddings\.(word_embeddings|position_embeddings|token_type_embeddings|LayerNorm)$/.test(path)) return path;
    if (path === 'encoder.embedding_hidden_mapping_in') return path;
    const [, group, inner, organ = ''] = path.match(/^encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)\.(.+)$/) ?? [];
    const known = organs[organ];
    return group !== undefined && known
      ? `encoder.layer.${Number(group) * innerLayers(config) + Number(inner)}.${known}`
      : undefined;
  },
  tells: () => true,
  projection: 'encoder.embedding_hidden_mapping_in',
  decoder: 'predictions.decoder',
  /** transformers: layer i runs every layer of group floor(i / (layers / groups)). */
  runs(stored, config) {
    const inner = innerLayers(config);
    const groups = Math.max(1, Math.floor(stored / inner));
    const stated = count(config, 'num_hidden_layers') ?? groups;
    const layers = stated * inner <= mostRuns ? stated : groups;
    return Array.from({ length: layers * inner }, (_, index) => {
      const group = Math.floor((Math.floor(index / inner) * groups) / layers);
      return group * inner + (index % inner);
    });
  },
};

/** A layer runs a dozen times. A config.json that says a billion says nothing. */
const mostRuns = 10_000;

const innerLayers = (config: Parameters<Family['organ']>[1]): number => Math.min(count(config, 'inner_group_num') ?? 1, mostRuns);
