import type { Table } from '../anatomy/anatomy.ts';
import { type GraphBuilder, int } from './graph-builder.ts';

/** Farther tokens share the last bucket of their side. MPNet's and T5's; no config.json says otherwise. */
const MAX_DISTANCE = 128;

/**
 * MPNet: what each head adds to the score of two tokens by their distance, [1, heads, tokens, tokens]. A table [buckets, heads] for all layers.
 * source: Raffel et al., T5, JMLR 2020; Song et al., MPNet, NeurIPS 2020.
 */
export function relativeScores(graph: GraphBuilder, ids: string, table: Table): string {
  return graph.within(table.id, () => {
    const length = graph.node('Gather', [graph.node('Shape', [ids]), graph.integers([1], [])], { axis: int(0) });
    const places = graph.node('Range', [graph.integers([0], []), length, graph.integers([1], [])]);
    const [query, key] = [1, 0].map(axis => graph.node('Unsqueeze', [places, graph.integers([axis])]));
    const distance = graph.node('Sub', [query!, key!]);
    const near = graph.node('Clip', [distance, graph.integers([-MAX_DISTANCE], []), graph.integers([MAX_DISTANCE], [])]);
    const index = graph.node('Add', [near, graph.integers([MAX_DISTANCE], [])]);
    const bucket = graph.node('Gather', [graph.integers(buckets(table.rows)), index], { axis: int(0) });
    const scores_HTT = graph.transpose(graph.lookUp(table, bucket), [2, 0, 1]);
    return graph.node('Unsqueeze', [scores_HTT, graph.integers([0])]);
  });
}

/** The bucket of each distance from -128 (the key is later) to 128: half of them a side, of these half exact and half by logarithm. */
function buckets(count: number): number[] {
  const side = count >> 1;
  const exact = side >> 1;
  return Array.from({ length: 2 * MAX_DISTANCE + 1 }, (_, at) => {
    const distance = Math.abs(at - MAX_DISTANCE);
    const later = at < MAX_DISTANCE ? side : 0;
    if (distance < exact) return later + distance;
    // fp32, as PyTorch computes it, so that no distance falls on the other side of a border
    const part = Math.fround(Math.fround(Math.log(distance / exact)) / Math.fround(Math.log(MAX_DISTANCE / exact)));
    return later + Math.min(side - 1, exact + Math.trunc(Math.fround(part * (side - exact))));
  });
}
