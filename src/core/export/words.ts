import type { Top } from './top.ts';

interface Words {
  /** [batch, sequence, vocabulary] */
  readonly value: string;
  readonly vocabulary: number;
}

/** A number for each word of the vocabulary. */
export function words(top: Top): Words {
  if (top.has(newer)) return ofNewer(top);
  const normed = transformed(top);
  const decoder = top.first(
    'cls.predictions.decoder',
    'lm_head.decoder',
    'predictions.decoder',
    'vocab_projector',
    'generator_lm_head',
  );
  const value = top.has(beside) ? besideTable(top, normed, decoder) : top.linear(normed, decoder);
  return { value, vocabulary: top.outputsOf(decoder) };
}

/** A matrix, an activation and a norm. The families differ in names, and in whether the activation is a choice. */
function transformed(top: Top): string {
  const dense = top.first(
    'cls.predictions.transform.dense',
    'lm_head.dense',
    'predictions.dense',
    'vocab_transform',
    'generator_predictions.dense',
  );
  const around = dense.replace(/\.?dense$/, '');
  const isFixed = dense === 'lm_head.dense' || dense === 'generator_predictions.dense';
  const active = top.act(top.linear(top.hidden, dense), isFixed ? 'gelu' : top.settings.activation, around);
  return top.norm(active, top.first(`${around}.LayerNorm`, `${around}.layer_norm`, 'vocab_layer_norm'));
}

/** DeBERTa's head as Microsoft trains it, without a decoder: the table of words is it. `legacy: false` in transformers. */
const newer = 'lm_predictions.lm_head.dense';

function ofNewer(top: Top): Words {
  const around = 'lm_predictions.lm_head';
  const active = top.act(top.linear(top.hidden, newer), top.settings.activation, around);
  const table = top.wordTable();
  const bias = top.first(around);
  const product = top.graph.tiedLinear(top.norm(active, `${around}.LayerNorm`), { id: around }, table);
  return { value: top.graph.node('Add', [product, top.parameter(bias)]), vocabulary: table.rows };
}

/** MobileBERT's decoder has more inputs than its table is wide; the matrix for the others is stored [inputs, vocabulary]. */
const beside = 'cls.predictions.dense';

function besideTable(top: Top, value: string, decoder: string): string {
  const { graph } = top;
  const width = top.inputsOf(decoder);
  const part = (start: number, end: number) =>
    graph.node('Slice', [value, graph.integers([start]), graph.integers([end]), graph.integers([-1])]);
  const [known, others] = graph.within('cls.predictions', () => [part(0, width), part(width, Number.MAX_SAFE_INTEGER)]);
  const sum = [top.linear(known!, decoder), top.storedTurned(others!, beside)];
  return graph.within('cls.predictions', () => graph.node('Add', sum));
}
