import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { cut } from '../../../src/core/evaluation/tokenize/cut.ts';
import { huggingFace } from '../../../src/core/evaluation/tokenize/hugging-face.ts';
import { seeded } from '../../../src/core/evaluation/tokenize/seeded.ts';
import type { Tokenizer } from '../../../src/core/evaluation/tokenize/tokenizer.ts';
import { readVocabulary, wordPiece } from '../../../src/core/evaluation/tokenize/word-piece.ts';

const folder = resolve(import.meta.dirname, '../../../../shared/third-party/tokenizers');
const skip = existsSync(folder) ? false : 'skipped: no third-party tokenizers';
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

interface Vector {
  readonly text: string;
  readonly text_pair?: string;
  readonly tokens: readonly string[];
  readonly ids: readonly number[];
}
const vectors = (): Record<string, Record<string, Record<string, Vector>>> =>
  JSON.parse(read('transformersjs_bert_family_vectors.json'));

function assertVectors(tokenizer: Tokenizer, cases: Record<string, Vector>, model: string): number {
  for (const [name, { text, text_pair, ids }] of Object.entries(cases))
    assert.deepEqual(tokenizer.encode(text, text_pair).ids, ids, `${model} ${name}: ${text}`);
  return Object.keys(cases).length;
}

const uncased = (): [string, Record<string, Vector>][] => {
  const { bert, distilbert } = vectors();
  return [
    ['bert-base-uncased', bert!['Xenova/bert-base-uncased']!],
    // The same vocabulary.
    ['distilbert-sst-2', distilbert!['Xenova/distilbert-base-uncased-finetuned-sst-2-english']!],
  ];
};

test('tokenizer.json of bert-base-uncased gives the ids of all 42 vectors of its vocabulary', { skip }, () => {
  const tokenizer = huggingFace(JSON.parse(read('bert-base-uncased.tokenizer.json')), {});
  assert.equal(
    uncased().reduce((sum, [model, cases]) => sum + assertVectors(tokenizer, cases, model), 0),
    42,
  );
});

test('vocab.txt of bert-base-uncased gives the ids of all 42 vectors of its vocabulary', { skip }, () => {
  const tokenizer = wordPiece(readVocabulary(read('bert-base-uncased-vocab.txt')), {});
  assert.equal(
    uncased().reduce((sum, [model, cases]) => sum + assertVectors(tokenizer, cases, model), 0),
    42,
  );
});

/**
 * The vocabulary as far as a model's vectors show it: every token that occurs, with its id. Greedy longest match over it gives what the
 * whole vocabulary gives: each piece the whole one chose is here, and no longer piece is here that the whole one lacks.
 */
function shownVocabulary(cases: Record<string, Vector>): Map<string, number> | undefined {
  const found = new Map<string, number>();
  for (const { tokens, ids, text_pair } of Object.values(cases)) {
    if (text_pair !== undefined || ids.length !== tokens.length + 2) continue;
    tokens.forEach((token, index) => void found.set(token, ids[index + 1]!));
    found.set('[CLS]', ids[0]!).set('[SEP]', ids.at(-1)!);
  }
  return found.size > 0 ? found : undefined;
}

/** The tokenizer.json of bert-base-uncased with another vocabulary. */
function jsonOf(vocabulary: ReadonlyMap<string, number>, lowercase: boolean): Record<string, unknown> {
  const json = JSON.parse(read('bert-base-uncased.tokenizer.json'));
  const ids = (tokens: readonly string[]) => tokens.map(token => vocabulary.get(token)!);
  json.model.vocab = Object.fromEntries(vocabulary);
  json.normalizer.lowercase = lowercase;
  json.added_tokens = json.added_tokens
    .filter((token: { content: string }) => vocabulary.has(token.content))
    .map((token: { content: string }) => ({ ...token, id: vocabulary.get(token.content) }));
  for (const token of ['[CLS]', '[SEP]'])
    json.post_processor.special_tokens[token] = { id: token, ids: ids([token]), tokens: [token] };
  return json;
}

/** Cased or not as the vectors show it. */
const wordPieceModels: readonly [family: string, model: string, settings: Record<string, unknown>][] = [
  ['bert', 'Xenova/bert-base-cased', { do_lower_case: false }],
  ['bert', 'Xenova/bert-base-multilingual-cased-ner-hrl', { do_lower_case: false }],
  ['bert', 'Xenova/bert-base-multilingual-uncased-sentiment', {}],
  ['bert', 'Xenova/bge-small-zh-v1.5', { do_lower_case: false }],
  ['bert', 'Xenova/bge-base-zh-v1.5', {}],
  ['bert', 'Xenova/indobert-base-p1', {}],
  ['bert', 'Xenova/spanbert-large-cased', {}],
  ['bert', 'Xenova/UMLSBert_ENG', {}],
  ['bert', 'Xenova/SapBERT-from-PubMedBERT-fulltext', {}],
  ['bert', 'Xenova/rubert-base-cased', { do_lower_case: false }],
  ['bert', 'Xenova/scibert_scivocab_uncased', {}],
  ['bert', 'Xenova/LaBSE', { do_lower_case: false }],
  ['bert', 'Xenova/ernie-gram-zh', {}],
  ['bert', 'google-bert/bert-base-cased', { do_lower_case: false }],
  ['distilbert', 'Xenova/distilbert-base-cased-distilled-squad', { do_lower_case: false }],
  ['distilbert', 'Xenova/distiluse-base-multilingual-cased-v2', { do_lower_case: false }],
  ['distilbert', 'distilbert/distilbert-base-multilingual-cased', { do_lower_case: false }],
];

for (const [family, model, settings] of wordPieceModels) {
  test(`WordPiece gives the ids of the vectors of ${model}, over the vocabulary they show`, { skip }, () => {
    const cases = vectors()[family]![model]!;
    const vocabulary = shownVocabulary(cases);
    assert.ok(vocabulary);
    if (!vocabulary.has('[UNK]')) vocabulary.set('[UNK]', -1);
    assert.ok(assertVectors(wordPiece(vocabulary, settings), cases, model) > 0);
  });

  test(`a tokenizer.json with these settings gives the ids of the vectors of ${model}`, { skip }, () => {
    const cases = vectors()[family]![model]!;
    const vocabulary = shownVocabulary(cases)!;
    if (!vocabulary.has('[UNK]')) vocabulary.set('[UNK]', -1);
    assert.ok(assertVectors(huggingFace(jsonOf(vocabulary, settings.do_lower_case !== false), {}), cases, model) > 0);
  });
}

test('a text over the length is cut at its end and keeps [CLS] and [SEP]; of a pair the longer one is cut', () => {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'b', 'c', 'd', 'e'];
  const tokenizer = wordPiece(new Map(words.map((word, id) => [word, id])), {});
  const one = tokenizer.encode('a b c d e');
  assert.equal(cut(one, 7, tokenizer, 'a b c d e'), one);
  assert.deepEqual(cut(one, 5, tokenizer, 'a b c d e').ids, [2, 4, 5, 6, 3]);
  const two = cut(tokenizer.encode('a b c d', 'e'), 6, tokenizer, 'a b c d', 'e');
  assert.deepEqual(two, { ids: [2, 4, 5, 3, 8, 3], types: [0, 0, 0, 0, 1, 1] });
});

test('drawn ids are the same for the same text, lie in the vocabulary, and are one a word', () => {
  const { ids } = seeded(100).encode('one two  three');
  assert.deepEqual(seeded(100).encode('one two  three').ids, ids);
  assert.equal(ids.length, 3);
  assert.ok(ids.every(id => id >= 0 && id < 100));
});
