import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import { evaluate } from '../../../src/core/session/evaluate.ts';

// Expected answers: torch 2.13 and transformers 5.23 on the same checkpoints, computed once.

const root = resolve(import.meta.dirname, '../../..');
const generated = resolve(root, '../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const sample = join(root, 'media/sample/model.onnx');
const scratch = mkdtempSync(join(tmpdir(), 'headroom-tasks-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

const onnx = (model: string): string => join(generated, model, 'model.torchscript.onnx');
const measure = async (model: string, task: string) => (await evaluate(model, { task, threads: 1 })).metrics;

const failsWith = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HeadroomError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

const texts = () => file('masked.txt', 'the small model keeps every word\nand it opens fast .\nprune heads\n');

test('pseudo-perplexity of BertForMaskedLM is PyTorch’s 62921.94 within 0.01 %, over 18 tokens', { skip }, async () => {
  const [found] = await measure(onnx('bert-masked-lm'), `perplexity:${texts()}`);
  assert.deepEqual([found!.name, found!.count], ['pseudo-perplexity', 18]);
  assert.ok(Math.abs(found!.value! / 62921.9405674713 - 1) < 1e-4, String(found!.value));
});

test('pseudo-perplexity of AlbertForMaskedLM, exported from its weights, is PyTorch’s 648.80 within 0.01 %', {
  skip,
}, async () => {
  const [found] = await measure(join(generated, 'albert-masked-lm/model.safetensors'), `perplexity:${texts()}`);
  assert.equal(found!.count, 20);
  assert.ok(Math.abs(found!.value! / 648.8024427812338 - 1) < 1e-4, String(found!.value));
});

const questions = {
  data: [
    {
      paragraphs: [
        {
          context: 'the small model keeps every word , and it opens fast .',
          qas: [{ question: 'what opens fast ?', answers: [{ text: 'nothing' }, { text: 'the small model keeps' }] }],
        },
        {
          context: 'Prune heads, then keep Every word.',
          qas: [{ question: 'who keeps heads ?', answers: [{ text: 'e' }] }],
        },
      ],
    },
  ],
};

test('BertForQuestionAnswering answers with the spans that PyTorch’s logits choose', { skip }, async () => {
  const task = `squad:${file('squad.json', JSON.stringify(questions))}`;
  assert.deepEqual(await measure(onnx('bert-question-answering'), task), [
    { name: 'span-f1', value: 100, count: 2 },
    { name: 'exact-match', value: 100, count: 2 },
  ]);
});

test('a table of questions, texts and answers is the same task', { skip }, async () => {
  const rows = [
    'question,context,answers',
    'what opens fast ?,"the small model keeps every word , and it opens fast .","[""nothing"", ""the small model keeps""]"',
    'who keeps heads ?,"Prune heads, then keep Every word.",word',
  ];
  file('questions.csv', rows.join('\n'));
  const columns = { question: 'question', context: 'context', answers: 'answers' };
  const task = file('questions.json', JSON.stringify({ file: 'questions.csv', columns, metrics: ['exact-match'] }));
  assert.deepEqual(await measure(onnx('bert-question-answering'), task), [{ name: 'exact-match', value: 50, count: 2 }]);
});

test('BertForTokenClassification tags each word as PyTorch does, by its first token', { skip }, async () => {
  const tags = ['LABEL_4', 'LABEL_4', 'LABEL_0'];
  const lines = ['-DOCSTART- O', '', ...['the', 'small', 'model'].map((word, i) => `${word} NN ${tags[i]}`), ''];
  const second = ['Prune', 'heads', 'unbelievably', ',', 'fast'].map(word => `${word} NN LABEL_4`);
  const task = `ner:${file('tags.conll', [...lines, ...second].join('\n'))}`;
  assert.deepEqual(await measure(onnx('bert-token-classification'), task), [{ name: 'entity-f1', value: 100, count: 2 }]);
});

test('words beyond the model’s length are cut, counted, and count as outside', { skip }, async () => {
  const lines = Array.from({ length: 70 }, () => 'fast LABEL_4');
  const found = await evaluate(onnx('bert-token-classification'), {
    task: `ner:${file('long.conll', lines.join('\n'))}`,
    threads: 1,
  });
  assert.equal(found.cut, 1);
  assert.ok(found.notes.some(note => note.args?.length === 64));
});

test('what a model cannot answer is said before it is run', { skip }, async () => {
  const squad = `squad:${file('squad2.json', JSON.stringify(questions))}`;
  const ner = `ner:${file('one.conll', 'fast B-PER\n')}`;
  await assert.rejects(measure(sample, squad), failsWith('unsupported', /no start and end/));
  await assert.rejects(measure(sample, ner), failsWith('unsupported', /no tags/));
  await assert.rejects(measure(sample, `perplexity:${texts()}`), failsWith('unsupported', /no perplexity/));
  await assert.rejects(measure(onnx('bert-token-classification'), ner), failsWith('malformed', /Line 1: the tag “fast B-PER”/));
});

test('task files that do not hold what they should are named with the place', async () => {
  await assert.rejects(measure(sample, `squad:${file('no.json', '{"data": 1}')}`), failsWith('malformed', /no “data”/));
  const lacking = { data: [{ paragraphs: [{ context: 'a', qas: [{ question: 'b', answers: [{}] }] }] }] };
  await assert.rejects(
    measure(sample, `squad:${file('lacks.json', JSON.stringify(lacking))}`),
    failsWith('malformed', /Question 1/),
  );
  await assert.rejects(measure(sample, `ner:${file('bad.conll', 'a O\nb\n')}`), failsWith('malformed', /Line 2 has no word/));
  const columns = { question: 'q' };
  const task = file('half.json', JSON.stringify({ file: 'x.csv', columns }));
  await assert.rejects(measure(sample, task), failsWith('malformed', /“columns”/));
});
