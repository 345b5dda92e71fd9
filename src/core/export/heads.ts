import type { Anatomy, Linear, Table, TopOrgan } from '../anatomy/anatomy.ts';
import { fail } from '../errors.ts';
import { activationOf } from './activation.ts';
import { type GraphBuilder, int } from './graph-builder.ts';

/** What heads are built from: the organs on top of the encoder, and the values below them. */
export class Top {
  readonly graph: GraphBuilder;
  readonly anatomy: Anatomy;
  /** [batch, sequence, hidden] */
  readonly hidden: string;
  /** config.json's activation. */
  readonly activation: string;
  /** config.json says that the decoder is not the table: its bias is its own then, too. */
  readonly untied: boolean;
  /** Ids of the organs that were used. */
  readonly used = new Set<string>();
  readonly #organs: ReadonlyMap<string, TopOrgan>;

  constructor(graph: GraphBuilder, anatomy: Anatomy, hidden: string, config: { activation: string; untied: boolean }) {
    this.graph = graph;
    this.anatomy = anatomy;
    this.hidden = hidden;
    this.activation = config.activation;
    this.untied = config.untied;
    this.#organs = new Map(anatomy.top.map(organ => [organ.id, organ]));
  }

  has(id: string): boolean {
    return this.#organs.has(id);
  }

  first(...ids: readonly string[]): string {
    const found = ids.find(id => this.has(id));
    if (found) return found;
    throw fail('unsupported', 'The checkpoint says it is for {task}, but has no module {id}.', {
      task: this.anatomy.task,
      id: ids.join(' / '),
    });
  }

  outputsOf(id: string): number {
    return this.#organ(id).linear!.out;
  }

  linear(value: string, id: string): string {
    const linear = this.#withOwnBias(this.#organ(id).linear!);
    const table = this.#tied(linear);
    return table ? this.graph.tiedLinear(value, linear, table) : this.graph.linear(value, linear);
  }

  norm(value: string, id: string): string {
    return this.graph.norm(value, this.#organ(id).norm!);
  }

  act(value: string, activation: string, at: string): string {
    return this.graph.within(at, () => activationOf(activation)(this.graph, value));
  }

  /** The hidden state of the first token, [batch, hidden]. */
  firstToken(at: string): string {
    const { graph } = this;
    return graph.within(at, () => graph.node('Gather', [this.hidden, graph.integers([0], [])], { axis: int(1) }));
  }

  #organ(id: string): TopOrgan {
    this.used.add(id);
    return this.#organs.get(id)!;
  }

  /**
   * transformers keeps two biases beside an untied decoder, cls.predictions.bias and cls.predictions.decoder.bias, and adds the second;
   * the anatomy gives the decoder the first, which is the only one in all other checkpoints.
   */
  #withOwnBias(linear: Linear): Linear {
    const own = this.untied && this.anatomy.unclaimed.find(({ name }) => name.endsWith(`${linear.id}.bias`));
    if (!own || own.shape.join() !== `${linear.out}`) return linear;
    this.used.add(own.name);
    return { ...linear, bias: own };
  }

  /** The table that a decoder is, or holds again. */
  #tied({ weight }: Linear): Table | undefined {
    const { tables, copies } = this.anatomy;
    const name = copies.get(weight.name) ?? weight.name;
    return tables.find(table => table.weight.name === name);
  }
}

type Head = (top: Top) => void;

const tokens = (width: number | string): (string | number)[] => ['batch', 'sequence', width];

/** tanh of a matrix over the first token; undefined for models without a pooler. */
function pooled(top: Top): string | undefined {
  const id = ['pooler.dense', 'pooler'].find(each => top.has(each));
  return id && top.act(top.linear(top.firstToken('pooler'), id), 'tanh', 'pooler');
}

function base(top: Top): void {
  top.graph.output('last_hidden_state', top.hidden, tokens(top.anatomy.hidden));
  const vector = pooled(top);
  if (vector) top.graph.output('pooler_output', vector, ['batch', top.anatomy.hidden]);
}

/** Transform, norm, and a matrix over the vocabulary. The families differ in names, and in whether the activation is a choice. */
function words(top: Top): { readonly value: string; readonly vocabulary: number } {
  const dense = top.first(
    'cls.predictions.transform.dense',
    'lm_head.dense',
    'predictions.dense',
    'vocab_transform',
    'generator_predictions.dense',
  );
  const around = dense.replace(/\.?dense$/, '');
  const isFixed = dense === 'lm_head.dense' || dense === 'generator_predictions.dense';
  const active = top.act(top.linear(top.hidden, dense), isFixed ? 'gelu' : top.activation, around);
  const normed = top.norm(active, top.first(`${around}.LayerNorm`, `${around}.layer_norm`, 'vocab_layer_norm'));
  const decoder = top.first(
    'cls.predictions.decoder',
    'lm_head.decoder',
    'predictions.decoder',
    'vocab_projector',
    'generator_lm_head',
  );
  return { value: top.linear(normed, decoder), vocabulary: top.outputsOf(decoder) };
}

function maskedWords(top: Top): void {
  const { value, vocabulary } = words(top);
  top.graph.output('logits', value, tokens(vocabulary));
}

/** BERT's two heads, or the second alone. */
function pretraining(top: Top): void {
  if (top.has('cls.predictions.decoder') || !top.has('cls.seq_relationship')) wordsAndOrder(top);
  else top.graph.output('logits', top.linear(fromPooler(top), 'cls.seq_relationship'), ['batch', 2]);
}

function wordsAndOrder(top: Top): void {
  const { value, vocabulary } = words(top);
  top.graph.output('prediction_logits', value, tokens(vocabulary));
  const order = top.first('cls.seq_relationship', 'sop_classifier.classifier');
  const name = order === 'cls.seq_relationship' ? 'seq_relationship_logits' : 'sop_logits';
  top.graph.output(name, top.linear(fromPooler(top), order), ['batch', top.outputsOf(order)]);
}

function fromPooler(top: Top): string {
  const vector = pooled(top);
  if (vector) return vector;
  throw fail('unsupported', 'The checkpoint says it is for {task}, but has no module {id}.', {
    task: top.anatomy.task,
    id: 'pooler',
  });
}

function classification(top: Top): void {
  const { value, id } = classified(top);
  top.graph.output('logits', value, ['batch', top.outputsOf(id)]);
}

/** On the pooler (BERT, ALBERT), or on the first token with a matrix of its own: tanh in RoBERTa, gelu in ELECTRA, relu in DistilBERT. */
function classified(top: Top): { readonly value: string; readonly id: string } {
  if (top.has('classifier.dense')) {
    const id = top.first('classifier.out_proj');
    const dense = top.linear(top.firstToken('classifier'), 'classifier.dense');
    const active = top.act(dense, top.anatomy.family === 'electra' ? 'gelu' : 'tanh', 'classifier');
    return { value: top.linear(active, id), id };
  }
  const id = top.first('classifier');
  if (!top.has('pre_classifier')) return { value: top.linear(fromPooler(top), id), id };
  const dense = top.linear(top.firstToken('pre_classifier'), 'pre_classifier');
  return { value: top.linear(top.act(dense, 'relu', 'pre_classifier'), id), id };
}

function tokenClassification(top: Top): void {
  const id = top.first('classifier');
  top.graph.output('logits', top.linear(top.hidden, id), tokens(top.outputsOf(id)));
}

function answers(top: Top): void {
  const { graph } = top;
  const id = top.first('qa_outputs');
  if (top.outputsOf(id) !== 2)
    throw fail('unsupported', 'The module {id} has {count} outputs instead of {expected}.', {
      id,
      count: top.outputsOf(id),
      expected: 2,
    });
  const [start, end] = graph.nodeOf('Split', [top.linear(top.hidden, id)], 2, { axis: int(-1) });
  const flat = (value: string) => graph.node('Squeeze', [value, graph.integers([-1])]);
  graph.output('start_logits', flat(start!), ['batch', 'sequence']);
  graph.output('end_logits', flat(end!), ['batch', 'sequence']);
}

/** Was this token replaced? One number each. source: Clark et al., ELECTRA, ICLR 2020. */
function discriminator(top: Top): void {
  const at = 'discriminator_predictions';
  const active = top.act(top.linear(top.hidden, top.first(`${at}.dense`)), top.activation, at);
  const value = top.linear(active, top.first(`${at}.dense_prediction`));
  top.graph.output('logits', top.graph.node('Squeeze', [value, top.graph.integers([-1])]), ['batch', 'sequence']);
}

/** By Anatomy.task. */
const heads: Readonly<Record<string, Head>> = {
  base,
  'masked-lm': maskedWords,
  pretraining,
  'sequence-classification': classification,
  'token-classification': tokenClassification,
  'question-answering': answers,
  discriminator,
};

/** Adds the outputs of the model's task, with the names they have in transformers. throws 'unsupported' for other tasks */
export function addHead(top: Top): void {
  const { task } = top.anatomy;
  if (!Object.hasOwn(heads, task))
    throw fail('unsupported', 'The export knows no head for {task}; it knows {known}.', {
      task,
      known: Object.keys(heads).join(', '),
    });
  heads[task]!(top);
}
