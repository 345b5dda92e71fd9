import type { Model } from '../model/model.ts';
import { count, type Family } from './families/family.ts';

/** Which layer, and the outputs of the widest query among all: a layer from which no head was taken. */
interface Among {
  readonly layer: number;
  readonly widest: number;
}

/**
 * Heads of a layer and the numbers of each, from config.json: nothing in a checkpoint's shapes tells 12 heads of 32 from 6 of 64. Layers
 * from which heads were taken have fewer outputs, and the width of a head stays; a width that config.json does not say and that is not
 * hidden / heads is that of the layer from which none was taken. 0 and 0 when unknown.
 */
export function headsOf(
  { config }: Model,
  query: { readonly in: number; readonly out: number },
  family?: Family,
  { layer, widest }: Among = { layer: -1, widest: query.out },
): { heads: number; headDim: number } {
  const stated = count(config, 'num_attention_heads', 'n_heads', 'n_head');
  const left = stated && stated - prunedIn(config, layer);
  if (left && left !== stated && query.out % left === 0) return split(query.out, query.out / left);
  const own = family?.headWidth?.(config) ?? count(config, 'head_dim', 'attention_head_size');
  const hidden = count(config, 'hidden_size', 'dim', 'n_embd') ?? query.in;
  const width = own ?? (stated && hidden / stated);
  const isWidth = width !== undefined && Number.isInteger(width) && widest % width === 0;
  if (isWidth && (own !== undefined || widest <= hidden)) return split(query.out, width);
  return stated && widest % stated === 0 ? split(query.out, widest / stated) : unknown;
}

const unknown = { heads: 0, headDim: 0 };

const split = (out: number, width: number) => (width > 0 && out % width === 0 ? { heads: out / width, headDim: width } : unknown);

/** transformers lists in config.json which heads were taken from which layer. */
function prunedIn({ pruned_heads: pruned }: Model['config'], layer: number): number {
  if (typeof pruned !== 'object' || pruned === null || !Object.hasOwn(pruned, layer)) return 0;
  const heads: unknown = (pruned as Record<string, unknown>)[layer];
  return Array.isArray(heads) ? new Set(heads).size : 0;
}
