import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Beside, besideAttention } from './beside.ts';
import { type Bottleneck, bottleneckAround } from './bottleneck.ts';
import { type Core, coreOf } from './core.ts';
import type { Disentangled } from './disentangled.ts';
import { type FeedForward, feedForward } from './feed-forward.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { masksFuture } from './mask.ts';
import { type FoundNorm, normBehind, normOn } from './norm.ts';
import { type Setting, settingOf } from './setting.ts';

/** One Transformer layer as it stands in a graph. */
export interface Block extends FeedForward {
  /** The data the layer reads, and the value through which it does, without a norm of its own. */
  readonly source: Anchor;
  readonly read: string;
  /** One anchor where query, key and value come out of one matrix; `packed` says how many outputs each has. */
  readonly query: Anchor;
  readonly key: Anchor;
  readonly value: Anchor;
  readonly packed?: readonly [query: number, key: number, value: number];
  readonly isByHead?: boolean;
  /** Key and value come out of one matrix, one behind the other within each head. */
  readonly isPair?: boolean;
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
  readonly bottleneck?: Bottleneck;
  /** Feed-forward networks before the last, each with the norm behind it. */
  readonly earlier?: readonly (FeedForward & { readonly norm: FoundNorm | undefined })[];
  /** What makes the data that the output projection reads beside the heads. */
  readonly beside?: Beside;
  /** The product of what enters attention that is added to it, where it is not what enters. */
  readonly attentionSkip?: Anchor;
}

/** Why an attention is not the middle of a BERT layer: names for what was found instead, see notBert. */
export type Miss =
  | 'no-scores'
  | 'fused-query-key-value'
  | 'no-projection'
  | 'cross-attention'
  | 'no-residual'
  | 'no-feed-forward'
  | 'masks-future'
  | 'relative-root-mean-square'
  | 'normalized-before';

/** The layer around an attention: softmax(Q K^T) V, projection, residual sum, norm, up, activation, down, residual sum. */
export function blockAround(flow: Flow, node: Node): Block | Miss {
  const core = coreOf(flow, node);
  if (!core) return 'no-scores';
  const { query, key, value } = core;
  const isPacked = query === key && key === value;
  if (!isPacked && (query === key || (key === value && !core.isPair))) return 'fused-query-key-value';
  if (isPacked && (!core.packed || masksFuture(flow, node))) return 'fused-query-key-value';
  const setting = settingOf(core);
  if (typeof setting === 'string') return crosses(core) ? 'cross-attention' : setting;
  const { output, attended } = setting;
  const [first, ...others] = networksBehind(flow, attended);
  if (!first) return 'no-feed-forward';
  const network = others.at(-1) ?? first;
  const bottleneck = bottleneckAround(flow, setting, network.fed);
  const norms = normsAround(flow, core, { ...setting, first, network, bottleneck });
  if (norms.isNormalizedBefore && masksFuture(flow, node)) return 'masks-future';
  const isRootMeanSquare = norms.attentionNorm?.isRootMeanSquare || norms.outputNorm?.isRootMeanSquare;
  if (isRootMeanSquare && core.relative.length > 0) return 'relative-root-mean-square';
  const { bias, packed, heads, relative, turning = [] } = core;
  const earlier = others.length > 0 ? [first, ...others.slice(0, -1)] : [];
  const normed = earlier.map(each => ({ ...each, norm: normBehind(flow, each.fed) }));
  const beside = setting.mixed && besideAttention(flow, setting, core);
  return {
    source: bottleneck?.source ?? setting.source,
    read: readBy(core, setting, bottleneck, norms.isNormalizedBefore),
    query,
    key,
    value,
    ...(bias && { bias }),
    ...(core.biases && { biases: core.biases }),
    ...(core.disentangled && { disentangled: core.disentangled }),
    ...(core.isPair && { isPair: true }),
    ...(isPacked && packed && { packed, ...(core.isByHead && { isByHead: true }) }),
    output,
    attended,
    ...norms,
    relative,
    turning,
    splits: core.reads.flatMap(value => reshapes(flow, value)),
    heads,
    ...network,
    ...(bottleneck && { bottleneck, fed: bottleneck.fed }),
    ...(earlier.length > 0 && { earlier: normed }),
    ...(beside && { beside }),
    ...(network.skip && setting.residual !== setting.source && { attentionSkip: setting.residual }),
  };
}

/** Key and value read other data than the query. */
const crosses = ({ query, key, value }: Core): boolean => {
  const [asks, ...told] = [query, key, value].map(({ from }) => from[0]);
  return asks !== undefined && told[0] !== undefined && told[0] === told[1] && told[0] !== asks;
};

/** Feed-forward networks that stand one behind the other: one, or in MobileBERT several. */
function networksBehind(flow: Flow, attended: Anchor): FeedForward[] {
  const found: FeedForward[] = [];
  for (let at = attended; found.length < mostNetworks; at = found.at(-1)!.fed) {
    const network = feedForward(flow, at);
    if (!network) break;
    found.push(network);
  }
  return found;
}

/** MobileBERT has four. */
const mostNetworks = 64;

/** The value through which the layer reads its source, without a norm of its own. */
function readBy(
  { query }: Core,
  { source, attended, residual }: Setting,
  bottleneck: Bottleneck | undefined,
  isNormalizedBefore: boolean,
): string {
  if (bottleneck) return bottleneck.input.product.reads[0]!;
  return isNormalizedBefore && residual === source ? readOf(attended, source) : query.reads[0]!;
}

interface Networks {
  readonly first: FeedForward;
  readonly network: FeedForward;
  readonly bottleneck: Bottleneck | undefined;
}

/** Which norm is which: a residual that is read without the norm its branch reads through says that norms stand before. */
function normsAround(
  flow: Flow,
  { query }: Core,
  { residual, attended, first, network, bottleneck }: Setting & Networks,
): Pick<Block, 'attentionNorm' | 'outputNorm' | 'isNormalizedBefore'> {
  const inner = normOn(flow, pathTo(flow, first.up.reads[0]!));
  const added = first.skip ? readOf(first.skip, attended) : readOf(first.fed, attended);
  const isNormalizedBefore = inner !== undefined && !normOn(flow, pathTo(flow, added));
  if (!isNormalizedBefore) {
    const outer = bottleneck && normOn(flow, pathTo(flow, bottleneck.output.product.reads[0]!));
    return { attentionNorm: inner, outputNorm: bottleneck ? outer : normBehind(flow, network.fed), isNormalizedBefore };
  }
  const [own, past] = [pathTo(flow, query.reads[0]!), pathTo(flow, readOf(attended, residual))];
  const parts = own.findIndex((node, index) => node !== past[index]);
  const attentionNorm = parts < 0 ? undefined : normOn(flow, own.slice(parts));
  return { attentionNorm, outputNorm: inner, isNormalizedBefore };
}

const readOf = (reader: Anchor, source: Anchor): string => reader.reads[reader.from.indexOf(source)]!;

const reshapes = (flow: Flow, value: string): Node[] => pathTo(flow, value).filter(node => node.opType === 'Reshape');
