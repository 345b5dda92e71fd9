import type { Model } from '../model/model.ts';
import type { ExtraOrgan, Layer, Linear } from './anatomy.ts';
import type { Block } from './block.ts';
import type { Flow } from './flow.ts';
import { headWidth } from './heads.ts';
import { layerIds } from './ids.ts';
import { headsOf } from './names.ts';
import { linearOf, normOf } from './organ.ts';
import { partOf } from './part.ts';
import type { Product } from './product.ts';

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
  const attention = packedOf(block, index, linear) ?? {
    query: linear(ids.query, 'query'),
    key: linear(ids.key, 'key'),
    value: linear(ids.value, 'value'),
  };
  const { query } = attention;
  const width = block.heads > 0 ? query.out / block.heads : await headWidth(flow.wiring, block.splits, query.out, signal);
  const extra = biasesOf(block, index);
  return {
    index,
    stored,
    ...(width && Number.isInteger(width) ? { heads: query.out / width, headDim: width } : headsOf(model, query)),
    ...attention,
    output: linear(ids.output, 'output'),
    attentionNorm: normOf(ids.attentionNorm, block.attentionNorm),
    ...network,
    down: linear(ids.down, 'down'),
    outputNorm: normOf(ids.outputNorm, block.outputNorm),
    ...(extra.length > 0 && { extra }),
  };
}

type Make = (id: string, key: 'query' | 'up') => Linear;

/** Query, key and value out of one matrix, one behind the other. */
function packedOf({ packed }: Block, index: number, linear: Make): Pick<Layer, 'query' | 'key' | 'value'> | undefined {
  if (!packed) return undefined;
  const ids = layerIds(index);
  const whole = linear(`${ids.layer}.attention.self.query_key_value`, 'query');
  const [query, key, value] = packed;
  return {
    query: partOf(ids.query, whole, [[0, query]]),
    key: partOf(ids.key, whole, [[query, query + key]]),
    value: partOf(ids.value, whole, [[query + key, query + key + value]]),
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

/** Biases that the operator of attention adds itself, in one vector. */
function biasesOf({ bias }: Block, index: number): ExtraOrgan[] {
  if (!bias) return [];
  return [{ id: `${layerIds(index).layer}.attention.self.query_key_value`, part: 'attention', tensors: [['bias', bias]] }];
}
