import { fail } from '../errors.ts';
import { int } from './graph-builder.ts';
import type { Top } from './top.ts';
import { words } from './words.ts';

type Head = (top: Top) => void;

const tokens = (width: number | string): (string | number)[] => ['batch', 'sequence', width];

function base(top: Top): void {
  top.graph.output('last_hidden_state', top.hidden, tokens(top.width));
  const vector = top.pooled();
  if (vector) top.graph.output('pooler_output', vector, ['batch', top.width]);
}

function maskedWords(top: Top): void {
  const { value, vocabulary } = words(top);
  top.graph.output('logits', value, tokens(vocabulary));
}

/** BERT's two heads, or the second alone. */
function pretraining(top: Top): void {
  if (top.has('cls.predictions.decoder') || !top.has('cls.seq_relationship')) wordsAndOrder(top);
  else top.graph.output('logits', top.linear(top.fromPooler(), 'cls.seq_relationship'), ['batch', 2]);
}

function wordsAndOrder(top: Top): void {
  const { value, vocabulary } = words(top);
  top.graph.output('prediction_logits', value, tokens(vocabulary));
  const order = top.first('cls.seq_relationship', 'sop_classifier.classifier');
  const name = order === 'cls.seq_relationship' ? 'seq_relationship_logits' : 'sop_logits';
  top.graph.output(name, top.linear(top.fromPooler(), order), ['batch', top.outputsOf(order)]);
}

function classification(top: Top): void {
  const { value, id } = classified(top);
  top.graph.output('logits', value, ['batch', top.outputsOf(id)]);
}

/** One number for each choice: the rows of a question, side by side again. */
function multipleChoice(top: Top): void {
  const value = top.graph.node('Reshape', [classified(top).value, top.choices!]);
  top.graph.output('logits', value, ['batch', 'choices']);
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
  if (top.anatomy.task === 'multiple-choice' && top.anatomy.family === 'electra')
    return { value: top.linear(summary(top), id), id };
  if (!top.has('pre_classifier')) return { value: top.linear(top.fromPooler(), id), id };
  const dense = top.linear(top.firstToken('pre_classifier'), 'pre_classifier');
  return { value: top.linear(top.act(dense, 'relu', 'pre_classifier'), id), id };
}

/** ELECTRA's vector of a sentence: the first token through a matrix of its own, where it has one. */
function summary(top: Top): string {
  const [at, id] = ['sequence_summary', 'sequence_summary.summary'];
  const token = top.firstToken(at);
  return top.has(id) ? top.act(top.linear(token, id), top.settings.summaryActivation, at) : token;
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
  const active = top.act(top.linear(top.hidden, top.first(`${at}.dense`)), top.settings.activation, at);
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
  'multiple-choice': multipleChoice,
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
