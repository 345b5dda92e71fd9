import { type Sentence, sentence } from '../errors.ts';

/** What rows of the tree are called. A view translates the sentence; `title` is its English. */
export const titles = {
  embeddings: sentence('Embeddings'),
  word: sentence('Word'),
  position: sentence('Position'),
  tokenType: sentence('Token type'),
  projection: sentence('Projection'),
  encoder: sentence('Encoder'),
  attention: sentence('Attention'),
  query: sentence('Query'),
  key: sentence('Key'),
  value: sentence('Value'),
  output: sentence('Output'),
  feedForward: sentence('Feed-forward'),
  up: sentence('Up'),
  down: sentence('Down'),
  norm: sentence('Layer norm'),
  pooler: sentence('Pooler'),
  dense: sentence('Dense'),
  task: sentence('Task head'),
  other: sentence('Other'),
  buffers: sentence('Buffers'),
  weight: sentence('Weight'),
  bias: sentence('Bias'),
  scale: sentence('Scale'),
  zeroPoint: sentence('Zero point'),
  smoothing: sentence('Smoothing of the input'),
  sums: sentence('Column sums'),
  gate: sentence('Gate'),
  firstFactor: sentence('First factor'),
  secondFactor: sentence('Second factor'),
  leftFactors: sentence('Left Kronecker factors'),
  rightFactors: sentence('Right Kronecker factors'),
  blocks: sentence('Blocks on the diagonal'),
  queryKeyValue: sentence('Query, key and value'),
  upGate: sentence('Up and gate'),
  queryBias: sentence('Query bias'),
  valueBias: sentence('Value bias'),
  positionQuery: sentence('Query of positions'),
  positionKey: sentence('Key of positions'),
  relativePositions: sentence('Relative positions'),
  finalNorm: sentence('Final layer norm'),
  skip: sentence('Way around'),
  widening: sentence('Widening'),
  header: sentence('File header'),
  graph: sentence('Graph'),
  padding: sentence('Padding'),
  metadata: sentence('Metadata'),
  between: sentence('Between tensors'),
} as const;

/** Ends of the ids of organs that not every BERT has. */
const extraTitles: readonly (readonly [RegExp, Sentence])[] = [
  [/\.self\.query_key_value$/, titles.queryKeyValue],
  [/\.(up_gate|gate_up)$/, titles.upGate],
  [/\.q_bias$/, titles.queryBias],
  [/\.v_bias$/, titles.valueBias],
  [/\.self\.pos_(q|query)_proj$/, titles.positionQuery],
  [/\.self\.pos_(key_)?proj$/, titles.positionKey],
  [/^encoder\.(final_norm|ln|emb_layer_norm_after)$/, titles.finalNorm],
  [/output\.skip$/, titles.skip],
  [/^encoder\.widening$/, titles.widening],
  [/^encoder\.LayerNorm$/, titles.norm],
  [/(distance_embedding|rel_embeddings|relative_attention_bias|embed_positions)$/, titles.relativePositions],
];

/** What an organ beside those of every BERT is called: what it is where that is known, otherwise its own name below its layer. */
export const extraTitle = (id: string): Sentence | string =>
  extraTitles.find(([pattern]) => pattern.test(id))?.[1] ?? id.replace(/^(encoder\.layer\.\d+|encoder|embeddings)\./, '');

export const layerTitle = (n: number): Sentence => sentence('Layer {n}', { n });
export const sharedLayerTitle = (n: number, other: number): Sentence =>
  sentence('Layer {n}, shared with Layer {other}', { n, other });
export const sharedTitle = (id: string): Sentence => sentence('Shared with {id}', { id });
export const copyTitle = (id: string): Sentence => sentence('Second copy of {id}', { id });
