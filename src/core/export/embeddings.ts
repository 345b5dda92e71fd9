import type { Anatomy, Table } from '../anatomy/anatomy.ts';
import { fail } from '../errors.ts';
import { asFactor } from './deberta.ts';
import { type GraphBuilder, int } from './graph-builder.ts';
import type { Inputs } from './inputs.ts';
import { addEmbeddingNorm } from './mobilebert.ts';
import { flag, isDeberta, type Settings, whole } from './settings.ts';

const tableOf = ({ tables }: Anatomy, name: string): Table | undefined => tables.find(({ id }) => id === `embeddings.${name}`);

/** Rows of the table of token types; 0 without one. */
export const tokenTypes = (anatomy: Anatomy): number => tableOf(anatomy, 'token_type_embeddings')?.rows ?? 0;

/**
 * Words, positions and types summed and normed. A projection to the width of the hidden states stands behind the norm (ALBERT, ELECTRA),
 * before it (DeBERTa), or behind the words alone (MobileBERT, factored tables).
 */
export function addEmbeddings(graph: GraphBuilder, anatomy: Anatomy, inputs: Inputs, settings: Settings): string {
  const { family, embeddingNorm: norm, embeddingProjection: projection } = anatomy;
  const word = tableOf(anatomy, 'word_embeddings');
  if (!word || !norm) throw incomplete();
  const words = graph.lookUp(word, inputs.ids);
  if (family === 'mobilebert') {
    const wide = projection ? mobile(graph, anatomy, words, settings) : words;
    return addEmbeddingNorm(graph, withPlaces(graph, anatomy, wide, inputs, settings), norm, settings);
  }
  const widens = projection !== undefined && widensWords(anatomy, word);
  const sum = withPlaces(graph, anatomy, widens ? graph.linear(words, projection) : words, inputs, settings);
  if (isDeberta(family)) {
    const normed = graph.norm(projection && !widens ? graph.linear(sum, projection) : sum, norm);
    return graph.within('embeddings', () => graph.node('Mul', [normed, asFactor(graph, inputs.mask)]));
  }
  const normed = graph.norm(sum, norm);
  return projection && !widens ? graph.linear(normed, projection) : normed;
}

/** A factored table: its rows are narrower than those of positions and types, which are as wide as the hidden states. */
const widensWords = (anatomy: Anatomy, { width }: Table): boolean =>
  ['position_embeddings', 'token_type_embeddings'].some(name => (tableOf(anatomy, name)?.width ?? width) !== width);

const incomplete = () => fail('unsupported', 'The model has no table of words, no table of positions or no norm behind them.');

/** The sum of words, and of types and positions where the family has them. */
function withPlaces(graph: GraphBuilder, anatomy: Anatomy, words: string, { ids, types }: Inputs, settings: Settings): string {
  const [position, type] = ['position', 'token_type'].map(name => tableOf(anatomy, `${name}_embeddings`));
  const sum = type ? graph.node('Add', [words, graph.lookUp(type, types ?? zeros(graph, ids))]) : words;
  if (isDeberta(anatomy.family) && !flag(settings.config, 'position_biased_input', true)) return sum;
  if (!position) throw incomplete();
  const { padding } = settings;
  const places = graph.within('embeddings', () =>
    padding === undefined ? inOrder(graph, ids) : countedFrom(graph, ids, padding),
  );
  return graph.node('Add', [sum, graph.lookUp(position, places)]);
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

/** MobileBERT: a word with the next and the one before, side by side, made as wide as the hidden states. */
function mobile(graph: GraphBuilder, anatomy: Anatomy, words: string, { config }: Settings): string {
  const projection = anatomy.embeddingProjection!;
  const isTrigram = flag(config, 'trigram_input', true);
  const width = tableOf(anatomy, 'word_embeddings')!.width;
  if (!isTrigram && width === whole(config, 'hidden_size', anatomy.hidden)) return words;
  return graph.linear(isTrigram ? graph.within('embeddings', () => trigrams(graph, words)) : words, projection);
}

function trigrams(graph: GraphBuilder, words: string): string {
  const padded = graph.node('Pad', [words, graph.integers([0, 1, 0, 0, 1, 0])]);
  const from = (start: number, end: number) =>
    graph.node('Slice', [padded, graph.integers([start]), graph.integers([end]), graph.integers([1])]);
  return graph.node('Concat', [from(2, Number.MAX_SAFE_INTEGER), words, from(0, -2)], { axis: int(2) });
}
