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
  sums: sentence('Column sums'),
  header: sentence('File header'),
  graph: sentence('Graph'),
  padding: sentence('Padding'),
  metadata: sentence('Metadata'),
  between: sentence('Between tensors'),
} as const;

export const layerTitle = (n: number): Sentence => sentence('Layer {n}', { n });
export const sharedLayerTitle = (n: number, other: number): Sentence =>
  sentence('Layer {n}, shared with Layer {other}', { n, other });
export const sharedTitle = (id: string): Sentence => sentence('Shared with {id}', { id });
export const copyTitle = (id: string): Sentence => sentence('Second copy of {id}', { id });
