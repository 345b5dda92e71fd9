import type { Model } from '../model/model.ts';
import type { ExtraOrgan, Layer, Linear } from './anatomy.ts';
import { besideOrgans } from './beside.ts';
import type { Block } from './block.ts';
import { bottleneckOrgans } from './bottleneck.ts';
import { disentangledOrgans } from './disentangled.ts';
import type { Anchor, Flow } from './flow.ts';
import { headWidth } from './heads.ts';
import { layerIds, skipIds } from './ids.ts';
import { headsOf } from './names.ts';
import { linearOf, normOf } from './organ.ts';
import { partOf } from './part.ts';
import type { Product } from './product.ts';
import type { Runs } from './rows.ts';

/** The layer of the first block; the others multiply by the same numbers. */
export async function layerOf(
  model: Model,
  flow: Flow,
  blocks: readonly [Block, ...Block[]],
  { index, stored }: Pick<Layer, 'index' | 'stored'>,
  signal?: AbortSignal,
): Promise<Layer> {
  const [block] = blocks;
  const ids = layerIds(index);
  const linear = (id: string, key: 'query' | 'key' | 'value' | 'output' | 'up' | 'gate' | 'down') =>
    linearOf(id, blocks.map(each => each[key]!.product!) as [Product, ...Product[]]);
  const network = halvesOf(block, index, linear) ?? {
    up: linear(ids.up, 'up'),
    ...(block.gate && { gate: linear(`${ids.layer}.intermediate.gate`, 'gate') }),
  };
  const whole = block.packed && linear(`${ids.layer}.attention.self.query_key_value`, 'query');
  const shape = whole ? { in: whole.in, out: block.packed![0] } : linear(ids.query, 'query');
  const width =
    block.heads > 0
      ? shape.out / block.heads
      : await headWidth(flow.wiring, block.splits, shape.out, signal, block.query.product!.form === 'convolution');
  const counted = width && Number.isInteger(width) ? { heads: shape.out / width, headDim: width } : headsOf(model, shape);
  const attention = whole
    ? packedOf(block, index, whole, counted.headDim)
    : { query: linear(ids.query, 'query'), ...keyAndValue(block, index, linear, counted.headDim) };
  const extra = beside(block, index);
  return {
    index,
    stored,
    ...counted,
    ...attention,
    output: linear(ids.output, 'output'),
    attentionNorm: normOf(ids.attentionNorm, block.attentionNorm),
    ...network,
    down: linear(ids.down, 'down'),
    outputNorm: normOf(ids.outputNorm, block.outputNorm),
    ...(extra.length > 0 && { extra }),
  };
}

type Make = (id: string, key: 'query' | 'key' | 'value' | 'up') => Linear;

/** Key and value, each of its own or out of one matrix, head by head. */
function keyAndValue({ isPair }: Block, index: number, linear: Make, headDim: number): Pick<Layer, 'key' | 'value'> {
  const ids = layerIds(index);
  if (!isPair) return { key: linear(ids.key, 'key'), value: linear(ids.value, 'value') };
  const whole = linear(`${ids.layer}.attention.self.key_value`, 'key');
  const width = headDim > 0 ? headDim : whole.out / 2;
  const runs = (part: 0 | 1): Runs =>
    Array.from(
      { length: whole.out / (2 * width) },
      (_, head) => [(2 * head + part) * width, (2 * head + part + 1) * width] as const,
    );
  return { key: partOf(ids.key, whole, runs(0)), value: partOf(ids.value, whole, runs(1)) };
}

/** Query, key and value out of one matrix, one behind the other: each as a whole, or head by head. */
function packedOf(
  { packed, isByHead }: Block,
  index: number,
  whole: Linear,
  headDim: number,
): Pick<Layer, 'query' | 'key' | 'value'> {
  const ids = layerIds(index);
  const [query, key, value] = packed!;
  const starts = [0, query, query + key, query + key + value];
  const heads = isByHead && headDim > 0 ? query / headDim : 0;
  const runs = (part: 0 | 1 | 2): Runs =>
    heads > 0
      ? Array.from({ length: heads }, (_, head) => [(3 * head + part) * headDim, (3 * head + part + 1) * headDim] as const)
      : [[starts[part]!, starts[part + 1]!]];
  return {
    query: partOf(ids.query, whole, runs(0)),
    key: partOf(ids.key, whole, runs(1)),
    value: partOf(ids.value, whole, runs(2)),
  };
}

/** Up and gate out of one matrix. */
function halvesOf({ halves, up }: Block, index: number, linear: Make): Pick<Layer, 'up' | 'gate'> | undefined {
  if (!halves) return undefined;
  const ids = layerIds(index);
  const whole = linear(`${ids.layer}.intermediate.${halves}`, 'up');
  const half = up.product!.out / 2;
  return { up: partOf(ids.up, whole, [[0, half]]), gate: partOf(`${ids.layer}.intermediate.gate`, whole, [[half, 2 * half]]) };
}

/** What stands beside the matrices of attention: biases in one vector or of single parts, and projections of relative positions. */
function beside(
  { bias, biases = [], disentangled, query, key, bottleneck, earlier = [], beside: mixed, attentionSkip, skip }: Block,
  index: number,
): ExtraOrgan[] {
  const { layer } = layerIds(index);
  const own = new Set([query.product!.weight.name, key.product!.weight.name]);
  const at = (name: string) => ({ id: `${layer}.attention.self.${name}`, part: 'attention' as const });
  return [
    ...(bias ? [{ ...at('query_key_value'), tensors: [['bias', bias] as const] }] : []),
    ...biases.map(([name, tensor]) => ({ ...at(name), tensors: [['', tensor] as const] })),
    ...(disentangled ? disentangledOrgans(layer, disentangled, own) : []),
    ...(mixed ? besideOrgans(mixed, index) : []),
    ...(bottleneck ? bottleneckOrgans(bottleneck, index) : []),
    ...earlier.flatMap((network, at) => networkOrgans(network, `${layer}.ffn.${at}`)),
    ...(attentionSkip && skip ? skipOrgans(index, attentionSkip, skip) : []),
  ];
}

/** What stands between what enters a half and the sum at its end. */
function skipOrgans(index: number, attention: Anchor, network: Anchor): ExtraOrgan[] {
  const ids = skipIds(index);
  return [
    { id: ids.attention, part: 'attention', linear: linearOf(ids.attention, [attention.product!]) },
    { id: ids.network, part: 'feed-forward', linear: linearOf(ids.network, [network.product!]) },
  ];
}

/** Rows of a feed-forward network that stands before a layer's last. */
function networkOrgans({ up, gate, down, norm }: NonNullable<Block['earlier']>[number], id: string): ExtraOrgan[] {
  const linear = (name: string, { product }: Anchor): ExtraOrgan => ({
    id: `${id}.${name}`,
    part: 'feed-forward',
    linear: linearOf(`${id}.${name}`, [product!]),
  });
  return [
    linear('intermediate.dense', up),
    ...(gate && gate !== up ? [linear('intermediate.gate', gate)] : []),
    linear('output.dense', down),
    ...(norm
      ? [{ id: `${id}.output.LayerNorm`, part: 'feed-forward' as const, norm: normOf(`${id}.output.LayerNorm`, norm) }]
      : []),
  ];
}
