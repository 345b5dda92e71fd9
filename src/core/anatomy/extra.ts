import type { ExtraOrgan } from './anatomy.ts';
import { linear, norm, type Organ, type PackedOrgans, table } from './modules.ts';

/** Tables among matrices: what looks a position up. What has a bias multiplies, and is none. */
const looksUp = /(embeddings?|embed_positions|relative_attention_bias|rel_pos_\w*bias|rel_2d_pos_bias)$/;

/** A module that not every BERT has, by the shape of its weight; undefined when it holds nothing. */
export function extraOrgan(id: string, organ: Organ, packed: PackedOrgans): ExtraOrgan | undefined {
  const at = { id, part: partOf(id) };
  const asTable = looksUp.test(id) && !organ.bias ? table(id, organ, packed) : undefined;
  if (asTable) return { ...at, table: asTable };
  const asLinear = linear(id, organ, packed);
  if (asLinear) return { ...at, linear: asLinear };
  if (organ.weight?.shape.length === 1) return { ...at, norm: norm(id, organ) };
  const tensors = Object.entries(organ).flatMap(([part, tensor]) => (tensor ? [[part, tensor] as const] : []));
  return tensors.length > 0 ? { ...at, tensors } : undefined;
}

function partOf(id: string): ExtraOrgan['part'] {
  const organ = id.replace(/^encoder\.layer\.\d+\./, '');
  if (organ === id) return 'layer';
  if (/^(attention|attn|crossattention|rel_attn)\./.test(organ)) return 'attention';
  return /^(intermediate|output|ffn|mlp)\./.test(organ) ? 'feed-forward' : 'layer';
}
