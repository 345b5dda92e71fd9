import type { Anatomy, Table } from '../anatomy/anatomy.ts';
import { fail } from '../errors.ts';
import { type GraphBuilder, int } from './graph-builder.ts';

export interface Inputs {
  readonly ids: string;
  /** Absent in families and models that have no types, or only one. */
  readonly types: string | undefined;
}

export interface Positions {
  /** Counted from the token that pads (RoBERTa); from 0 in order where undefined. */
  readonly padding: number | undefined;
}

const tableOf = ({ tables }: Anatomy, name: string): Table | undefined => tables.find(({ id }) => id === `embeddings.${name}`);

/** Rows of the table of token types; 0 without one. */
export const tokenTypes = (anatomy: Anatomy): number => tableOf(anatomy, 'token_type_embeddings')?.rows ?? 0;

/** Words, positions and types summed, normed, and projected where the hidden states are wider. */
export function addEmbeddings(graph: GraphBuilder, anatomy: Anatomy, { ids, types }: Inputs, positions: Positions): string {
  const [word, position, type] = ['word', 'position', 'token_type'].map(name => tableOf(anatomy, `${name}_embeddings`));
  if (!word || !position || !anatomy.embeddingNorm)
    throw fail('unsupported', 'The model has no table of words, no table of positions or no norm behind them.');
  let sum = graph.lookUp(word, ids);
  if (type) sum = graph.node('Add', [sum, graph.lookUp(type, types ?? zeros(graph, ids))]);
  const places = graph.within('embeddings', () =>
    positions.padding === undefined ? inOrder(graph, ids) : countedFrom(graph, ids, positions.padding),
  );
  sum = graph.node('Add', [sum, graph.lookUp(position, places)]);
  const normed = graph.norm(sum, anatomy.embeddingNorm);
  return anatomy.embeddingProjection ? graph.linear(normed, anatomy.embeddingProjection) : normed;
}

/** [[0, 1, 2, …]]: a longer sequence than the table has rows is an error of onnxruntime's, not a wrong answer. */
function inOrder(graph: GraphBuilder, ids: string): string {
  const length = graph.node('Gather', [graph.node('Shape', [ids]), graph.integers([1], [])], { axis: int(0) });
  const range = graph.node('Range', [graph.integers([0], []), length, graph.integers([1], [])]);
  return graph.node('Unsqueeze', [range, graph.integers([0])]);
}

/** RoBERTa: tokens count from padding + 1, padding stays at its own row. source: create_position_ids_from_input_ids of fairseq. */
function countedFrom(graph: GraphBuilder, ids: string, padding: number): string {
  const isToken = graph.node('Not', [graph.node('Equal', [ids, graph.integers([padding], [])])]);
  const tokens = graph.node('Cast', [isToken], { to: int(7) });
  const counted = graph.node('Mul', [graph.node('CumSum', [tokens, graph.integers([1], [])]), tokens]);
  return graph.node('Add', [counted, graph.integers([padding], [])]);
}

const zeros = (graph: GraphBuilder, ids: string): string =>
  graph.node('Expand', [graph.integers([0]), graph.node('Shape', [ids])]);
