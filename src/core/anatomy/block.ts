import type { Node } from '../model/graph.ts';
import { type Anchor, type Flow, isAttention, pathTo } from './flow.ts';
import { type FoundNorm, normOn } from './norm.ts';
import { integer } from './wiring.ts';

/** One Transformer layer as it stands in a graph. */
export interface Block {
  /** The data the layer reads. */
  readonly source: Anchor;
  readonly query: Anchor;
  readonly key: Anchor;
  readonly value: Anchor;
  readonly output: Anchor;
  readonly up: Anchor;
  readonly down: Anchor;
  /** The sum of attention and what it read, and the sum of the feed-forward network and what it read. */
  readonly attended: Anchor;
  readonly fed: Anchor;
  readonly attentionNorm: FoundNorm | undefined;
  /** Where query, key and value are split into heads. */
  readonly splits: readonly Node[];
  /** As the Attention operator says it; 0 where only the splits do. */
  readonly heads: number;
}

/** Why an attention is not the middle of a BERT layer: names for what was found instead, see notBert. */
export type Miss =
  | 'no-scores'
  | 'fused-query-key-value'
  | 'no-projection'
  | 'no-residual'
  | 'no-feed-forward'
  | 'normalized-before';

/** Attention itself: the products it reads, the values through which it reads them, and what it makes. */
interface Core {
  readonly query: Anchor;
  readonly key: Anchor;
  readonly value: Anchor;
  readonly reads: readonly string[];
  readonly context: Anchor;
}

/** The layer around an attention: softmax(Q K^T) V, projection, residual sum, norm, up, activation, down, residual sum. */
export function blockAround(flow: Flow, node: Node): Block | Miss {
  const core = isAttention(node) ? operatorCore(flow, node) : softmaxCore(flow, node);
  if (!core) return 'no-scores';
  const { query, key, value, context } = core;
  if (query === key || key === value) return 'fused-query-key-value';
  const source = query.from[0];
  if (!source || key.from[0] !== source || value.from[0] !== source) return 'no-projection';
  const output = readers(context).find(anchor => anchor.kind === 'product');
  if (!output) return 'no-projection';
  const attended = readers(output).find(anchor => isSumOf(anchor, output, source));
  if (!attended) return 'no-residual';
  const network = feedForward(attended);
  if (!network) return 'no-feed-forward';
  const residual = network.fed.reads[network.fed.from.indexOf(attended)]!;
  const attentionNorm = normOn(flow, pathTo(flow, network.up.reads[0]!));
  if (attentionNorm && !normOn(flow, pathTo(flow, residual))) return 'normalized-before';
  const splits = core.reads.flatMap(read => reshapes(flow, read));
  const heads = integer(node, 'q_num_heads', 0);
  return { source, query, key, value, output, attended, attentionNorm, splits, heads, ...network };
}

/** Query, key and value as the first inputs of the Attention operator. */
function operatorCore(flow: Flow, node: Node): Core | undefined {
  const context = flow.root.get(node.outputs[0] ?? '');
  const reads = node.inputs.slice(0, 3);
  const [query, key, value] = reads.map(read => flow.root.get(read));
  if (!context || query?.kind !== 'product' || key?.kind !== 'product' || value?.kind !== 'product') return undefined;
  return { query, key, value, reads, context };
}

function softmaxCore(flow: Flow, softmax: Node): Core | undefined {
  const scores = scoresOf(flow.root.get(softmax.inputs[0] ?? ''));
  if (!scores) return undefined;
  const [query, key] = scores.from as [Anchor, Anchor];
  if (query.kind !== 'product' || key.kind !== 'product') return undefined;
  const context = readers(flow.root.get(softmax.outputs[0] ?? '')!).find(isMatMul);
  const value = context?.from.find(anchor => anchor.kind === 'product');
  if (!context || !value) return undefined;
  const reads = [...scores.reads, context.reads[context.from.indexOf(value)]!];
  return { query, key, value, reads, context };
}

/** Q K^T behind the softmax's input; a sum with a relative-position bias may stand between. */
function scoresOf(anchor: Anchor | undefined): Anchor | undefined {
  if (anchor?.kind !== 'join') return undefined;
  if (isMatMul(anchor)) return anchor.from.length === 2 ? anchor : undefined;
  return anchor.from.find(source => source.kind === 'join' && isMatMul(source) && source.from.length === 2);
}

function feedForward(attended: Anchor): { up: Anchor; down: Anchor; fed: Anchor } | undefined {
  for (const up of readers(attended))
    if (up.kind === 'product')
      for (const down of readers(up))
        if (down.kind === 'product') {
          const fed = readers(down).find(anchor => isSumOf(anchor, down, attended));
          if (fed) return { up, down, fed };
        }
  return undefined;
}

const isMatMul = (anchor: Anchor): boolean =>
  anchor.kind === 'join' && ['MatMul', 'FusedMatMul', 'Einsum', 'MatMulInteger'].includes(anchor.node!.opType);

const isSumOf = (anchor: Anchor, a: Anchor, b: Anchor): boolean =>
  anchor.kind === 'join' && anchor.node!.opType === 'Add' && anchor.from.includes(a) && anchor.from.includes(b);

const readers = (anchor: Anchor): Anchor[] => anchor.uses.flatMap(use => use.by ?? []);

const reshapes = (flow: Flow, value: string): Node[] => pathTo(flow, value).filter(node => node.opType === 'Reshape');

/** The norm that follows an anchor, seen on the way to any of its readers. */
export function normBehind(flow: Flow, anchor: Anchor): FoundNorm | undefined {
  for (const use of anchor.uses) {
    const found = normOn(flow, pathTo(flow, use.value));
    if (found) return found;
  }
  return undefined;
}
