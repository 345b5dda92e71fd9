import type { Tensor } from '../tensor/tensor.ts';
import type { ExtraOrgan } from './anatomy.ts';
import { kernelTo, partsOf } from './beside.ts';
import type { Block } from './block.ts';
import { isNarrow } from './constant.ts';
import { positionsBehind } from './disentangled.ts';
import { readers } from './feed-forward.ts';
import type { Anchor, Flow } from './flow.ts';
import { type FoundNorm, normBehind } from './norm.ts';
import { normOf } from './organ.ts';
import { tableAt } from './table.ts';

/** What all layers share, or stands behind the last: tables of positions, a final norm. */
export function sharedOrgans(flow: Flow, blocks: readonly Block[], finalNorm: FoundNorm | undefined): ExtraOrgan[] {
  const organs: ExtraOrgan[] = [];
  const seen = new Set<string>();
  const addTables = (wanted: string, anchors: readonly Anchor[]) => {
    let count = 0;
    for (const anchor of anchors) {
      const { table } = tableAt(flow, anchor);
      if (seen.has(table.weight.name)) continue;
      seen.add(table.weight.name);
      const id = ++count === 1 ? wanted : `${wanted}.${count}`;
      organs.push({ id, part: 'layer', table: { ...table, id } });
    }
  };
  addTables(
    'encoder.relative_attention_bias',
    blocks.flatMap(block => block.relative),
  );
  const positions = blocks
    .flatMap(({ disentangled }) => disentangled?.projections ?? [])
    .map(each => positionsBehind(flow, each));
  addTables(
    'encoder.rel_embeddings',
    positions.flatMap(({ table }) => table ?? []),
  );
  const stored = positions.find(({ weight }) => weight);
  if (stored?.weight) organs.push(storedTable('encoder.rel_embeddings', stored.weight));
  if (stored?.norm) organs.push({ id: 'encoder.LayerNorm', part: 'layer', norm: normOf('encoder.LayerNorm', stored.norm) });
  addTables(
    'encoder.embed_positions',
    blocks.flatMap(block => block.turning),
  );
  organs.push(...convolutionAfter(flow, blocks));
  if (finalNorm) organs.push({ id: 'encoder.final_norm', part: 'layer', norm: normOf('encoder.final_norm', finalNorm) });
  return organs;
}

/** DeBERTa v2 adds a convolution of the embeddings to what the first layer makes of them. source: He et al., DeBERTa, ICLR 2021. */
function convolutionAfter(flow: Flow, [first]: readonly Block[]): ExtraOrgan[] {
  for (const sum of first ? readers(first.fed) : []) {
    if (sum.kind !== 'join' || !sum.from.includes(first!.source)) continue;
    const kernel = kernelTo(flow, sum.reads[sum.from.indexOf(first!.source)]);
    if (!kernel) continue;
    const norm = normBehind(flow, sum);
    return [
      { id: 'encoder.conv.conv', part: 'layer', tensors: partsOf(kernel) },
      ...(norm ? [{ id: 'encoder.conv.LayerNorm', part: 'layer' as const, norm: normOf('encoder.conv.LayerNorm', norm) }] : []),
    ];
  }
  return [];
}

function storedTable(id: string, weight: Tensor): ExtraOrgan {
  const [rows, width] = weight.shape.slice(-2) as [number, number];
  return { id, part: 'layer', table: { id, weight, rows, width, form: isNarrow(weight) ? 'quantized' : 'dense', nodes: [] } };
}
