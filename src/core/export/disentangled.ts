import type { Layer, Linear } from '../anatomy/anatomy.ts';
import { fail, sentence } from '../errors.ts';
import { type GraphBuilder, int } from './graph-builder.ts';
import { byHead, MASKED, summed } from './layer.ts';
import { logBuckets } from './log-buckets.ts';
import { Organs } from './organs.ts';
import { flag, type Settings, text, whole } from './settings.ts';

// B batch, T tokens, H heads, D numbers of a head, R rows of the table of relative positions

/** What all layers of a DeBERTa read. */
export interface Relative {
  /** Words look at positions, positions at words. */
  readonly kinds: readonly ('c2p' | 'p2c')[];
  /** Positions are projected by the layer's own query and key. */
  readonly isShared: boolean;
  /** The table, normed: [1, R, hidden]; absent when only words look at words. */
  readonly table?: string;
  /** Its row for each query and key, [1, 1, T, T], and turned, for each key and query. */
  readonly rows?: string;
  readonly turnedRows?: string;
  /** How many of the sums below are summed; the scores are divided by the root of it. */
  readonly terms: number;
}

/** throws 'unsupported' where the table is not as long as config.json says */
export function relativePositions(graph: GraphBuilder, ids: string, organs: Organs, { config }: Settings): Relative {
  const named = Array.isArray(config.pos_att_type) ? config.pos_att_type : (text(config, 'pos_att_type')?.split('|') ?? []);
  const wanted = named.map(kind => String(kind).trim().toLowerCase());
  const kinds = (['c2p', 'p2c'] as const).filter(kind => wanted.includes(kind));
  const plain = { kinds, isShared: flag(config, 'share_att_key', false), terms: 1 + kinds.length };
  if (!flag(config, 'relative_attention', false)) return { ...plain, kinds: [] };
  if (kinds.length === 0) return plain;
  const buckets = whole(config, 'position_buckets', -1);
  const stated = whole(config, 'max_relative_positions', -1);
  const furthest = stated < 1 ? whole(config, 'max_position_embeddings', 512) : stated;
  const table = organs.table('encoder.rel_embeddings');
  const expected = 2 * (buckets > 0 ? buckets : furthest);
  if (table.rows !== expected)
    throw fail(
      'unsupported',
      'The table {id} has {rows} rows; config.json asks for {expected} (position_buckets, max_relative_positions).',
      { id: table.id, rows: table.rows, expected },
      { hint: sentence('Is the config.json beside it that of this checkpoint?') },
    );
  const isNormed = (text(config, 'norm_rel_ebd') ?? 'none')
    .toLowerCase()
    .split('|')
    .some(word => word.trim() === 'layer_norm');
  const normed = isNormed ? graph.norm(graph.table(table), organs.norm('encoder.LayerNorm')) : graph.table(table);
  const rows = graph.within('encoder', () => rowsAt(graph, ids, buckets, furthest));
  // With three dimensions: of two, onnxruntime 1.30 makes a Gemm of constants, and in fp16 ends while it folds it.
  return {
    ...plain,
    table: graph.within('encoder', () => graph.node('Unsqueeze', [normed, graph.integers([0])])),
    rows,
    turnedRows: graph.within('encoder', () => graph.transpose(rows, [0, 1, 3, 2])),
  };
}

function rowsAt(graph: GraphBuilder, ids: string, buckets: number, furthest: number): string {
  const { reach, rows } = logBuckets(buckets, furthest);
  const length = graph.node('Gather', [graph.node('Shape', [ids]), graph.integers([1], [])], { axis: int(0) });
  const places = graph.node('Range', [graph.integers([0], []), length, graph.integers([1], [])]);
  const [query, key] = [1, 0].map(axis => graph.node('Unsqueeze', [places, graph.integers([axis])]));
  const near = graph.node('Clip', [graph.node('Sub', [query!, key!]), graph.integers([-reach], []), graph.integers([reach], [])]);
  const place = graph.node('Add', [near, graph.integers([reach], [])]);
  const rows_TT = graph.node('Gather', [graph.integers(rows), place], { axis: int(0) });
  return graph.node('Unsqueeze', [rows_TT, graph.integers([0, 1])]);
}

/**
 * Attention whose scores are those of words with words, of words with where others stand, and of where they stand with words.
 * `seen` [batch, 1, T, T] says which token may look at which. source: He et al., DeBERTa, ICLR 2021
 */
export function disentangledAttention(
  graph: GraphBuilder,
  layer: Layer,
  hidden: string,
  seen: string,
  relative: Relative,
): string {
  const { index, query, key, value, heads, headDim } = layer;
  const organs = new Organs(layer.extra);
  const at = `encoder.layer.${index}.attention.self`;
  return graph.within(at, () => {
    // Queries and projected positions are small; scores are not. The positions' projections are constants to onnxruntime.
    const scaled = (small: string) => graph.node('Mul', [small, graph.number(1 / Math.sqrt(headDim * relative.terms))]);
    const query_BHTD = scaled(byHead(graph, hidden, query, heads, [0, 2, 1, 3]));
    const key_BHTD = byHead(graph, hidden, key, heads, [0, 2, 1, 3]);
    const value_BHTD = byHead(graph, hidden, value, heads, [0, 2, 1, 3]);
    let scores = graph.node('MatMul', [query_BHTD, graph.transpose(key_BHTD, [0, 1, 3, 2])]);
    const size = graph.node('Shape', [scores]);
    const { table, rows, turnedRows } = relative;
    const positions = (linear: Linear) => byHead(graph, table!, linear, heads, [0, 2, 3, 1]);
    const picked = (all_BHTR: string, places: string) =>
      graph.node('GatherElements', [all_BHTR, graph.node('Expand', [places, size])], { axis: int(-1) });
    if (relative.kinds.includes('c2p') && table) {
      const key_1HDR = positions(relative.isShared ? key : organs.linear(`${at}.pos_key_proj`));
      scores = graph.node('Add', [scores, picked(graph.node('MatMul', [query_BHTD, key_1HDR]), rows!)]);
    }
    if (relative.kinds.includes('p2c') && table) {
      const query_1HDR = scaled(positions(relative.isShared ? query : organs.linear(`${at}.pos_query_proj`)));
      const turned = picked(graph.node('MatMul', [key_BHTD, query_1HDR]), turnedRows!);
      scores = graph.node('Add', [scores, graph.transpose(turned, [0, 1, 3, 2])]);
    }
    const shown = graph.node('Where', [seen, scores, graph.number(MASKED)]);
    return summed(graph, graph.node('Softmax', [shown], { axis: int(-1) }), value_BHTD, value.out);
  });
}
