import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Core, coreOf } from './core.ts';
import type { Disentangled } from './disentangled.ts';
import { type FeedForward, feedForward, isSumOf, readers } from './feed-forward.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { masksFuture } from './mask.ts';
import { type FoundNorm, normOn } from './norm.ts';

/** One Transformer layer as it stands in a graph. */
export interface Block extends FeedForward {
  /** The data the layer reads. */
  readonly source: Anchor;
  /** One anchor where query, key and value come out of one matrix; `packed` says how many outputs each has. */
  readonly query: Anchor;
  readonly key: Anchor;
  readonly value: Anchor;
  readonly packed?: readonly [query: number, key: number, value: number];
  readonly isByHead?: boolean;
  /** Biases of single parts, by name, and what DeBERTa multiplies by relative positions. */
  readonly biases?: readonly (readonly [string, Tensor])[];
  readonly disentangled?: Disentangled;
  /** Biases of query, key and value in one vector, which the operator of attention adds. */
  readonly bias?: Tensor;
  readonly output: Anchor;
  /** The sum of attention and what it read. */
  readonly attended: Anchor;
  /** Norms behind attention and behind the feed-forward network; before them where `isNormalizedBefore`. */
  readonly attentionNorm: FoundNorm | undefined;
  readonly outputNorm: FoundNorm | undefined;
  readonly isNormalizedBefore: boolean;
  /** Tables of relative positions that the scores are summed with. */
  readonly relative: readonly Anchor[];
  /** Tables of positions that query and key are turned by. */
  readonly turning: readonly Anchor[];
  /** Where query, key and value are split into heads. */
  readonly splits: readonly Node[];
  /** As an operator of attention says it; 0 where only the splits do. */
  readonly heads: number;
}

/** Why an attention is not the middle of a BERT layer: names for what was found instead, see notBert. */
export type Miss =
  | 'no-scores'
  | 'fused-query-key-value'
  | 'no-projection'
  | 'cross-attention'
  | 'no-residual'
  | 'no-feed-forward'
  | 'normalized-before';

/** The layer around an attention: softmax(Q K^T) V, projection, residual sum, norm, up, activation, down, residual sum. */
export function blockAround(flow: Flow, node: Node): Block | Miss {
  const core = coreOf(flow, node);
  if (!core) return 'no-scores';
  const { query, key, value, context } = core;
  const isPacked = query === key && key === value;
  if (!isPacked && (query === key || key === value)) return 'fused-query-key-value';
  if (isPacked && (!core.packed || masksFuture(flow, node))) return 'fused-query-key-value';
  const source = query.from[0];
  if (source && key.from[0] && key.from[0] !== source && key.from[0] === value.from[0]) return 'cross-attention';
  if (!source || key.from[0] !== source || value.from[0] !== source) return 'no-projection';
  const output = readers(context).find(anchor => anchor.kind === 'product');
  if (!output) return 'no-projection';
  const attended = readers(output).find(anchor => isSumOf(anchor, output, source));
  if (!attended) return 'no-residual';
  const network = feedForward(flow, attended);
  if (!network) return 'no-feed-forward';
  const norms = normsAround(flow, core, { source, attended, network });
  if (
    norms.isNormalizedBefore &&
    (masksFuture(flow, node) || norms.attentionNorm?.isRootMeanSquare || norms.outputNorm?.isRootMeanSquare)
  )
    return 'normalized-before';
  const splits = core.reads.flatMap(read => reshapes(flow, read));
  const { bias, packed, heads, relative, turning = [] } = core;
  return {
    source,
    query,
    key,
    value,
    ...(bias && { bias }),
    ...(core.biases && { biases: core.biases }),
    ...(core.disentangled && { disentangled: core.disentangled }),
    ...(isPacked && packed && { packed, ...(core.isByHead && { isByHead: true }) }),
    output,
    attended,
    ...norms,
    relative,
    turning,
    splits,
    heads,
    ...network,
  };
}

/** Which norm is which: a residual that is read without the norm its branch reads through says that norms stand before. */
function normsAround(
  flow: Flow,
  { query }: Core,
  { source, attended, network }: { source: Anchor; attended: Anchor; network: FeedForward },
): Pick<Block, 'attentionNorm' | 'outputNorm' | 'isNormalizedBefore'> {
  const inner = normOn(flow, pathTo(flow, network.up.reads[0]!));
  const isNormalizedBefore = inner !== undefined && !normOn(flow, pathTo(flow, readOf(network.fed, attended)));
  if (!isNormalizedBefore) return { attentionNorm: inner, outputNorm: normBehind(flow, network.fed), isNormalizedBefore };
  const isResidualNormalized = normOn(flow, pathTo(flow, readOf(attended, source))) !== undefined;
  const attentionNorm = isResidualNormalized ? undefined : normOn(flow, pathTo(flow, query.reads[0]!));
  return { attentionNorm, outputNorm: inner, isNormalizedBefore };
}

const readOf = (reader: Anchor, source: Anchor): string => reader.reads[reader.from.indexOf(source)]!;

const reshapes = (flow: Flow, value: string): Node[] => pathTo(flow, value).filter(node => node.opType === 'Reshape');

/** The norm that follows an anchor, seen on the way to any of its readers. */
export function normBehind(flow: Flow, anchor: Anchor): FoundNorm | undefined {
  for (const use of anchor.uses) {
    const found = normOn(flow, pathTo(flow, use.value));
    if (found) return found;
  }
  return undefined;
}
