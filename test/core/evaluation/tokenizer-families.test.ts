import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { cut } from '../../../src/core/evaluation/tokenize/cut.ts';
import { huggingFace } from '../../../src/core/evaluation/tokenize/hugging-face.ts';
import { readVocabulary, wordPiece } from '../../../src/core/evaluation/tokenize/word-piece.ts';

// tokenizers/byte-level-bpe.json and unigram.json were trained on media/sentences with Hugging Face's tokenizers 0.23 (Rust), as RoBERTa's
// and ALBERT's are made; vectors.json is what that library gives for them and for minilm's tokenizer.json: texts, pairs, and both with
// enable_truncation(length, strategy='longest_first').

const folder = join(import.meta.dirname, 'tokenizers');
const minilm = resolve(import.meta.dirname, '../../../../shared/models/minilm');
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

interface Vector {
  readonly text: string;
  readonly pair?: string;
  readonly length?: number;
  readonly ids: readonly number[];
  readonly types: readonly number[];
}
const vectors: Record<string, readonly Vector[]> = read(join(folder, 'vectors.json'));

const tokenizers = [
  { name: 'byte-level-bpe', title: 'byte-level BPE (RoBERTa)', path: join(folder, 'byte-level-bpe.json') },
  { name: 'unigram', title: 'Unigram (ALBERT, SentencePiece)', path: join(folder, 'unigram.json') },
  { name: 'minilm', title: 'WordPiece (minilm)', path: join(minilm, 'tokenizer.json') },
];

for (const { name, title, path } of tokenizers) {
  const skip = existsSync(path) ? false : 'skipped: no trained models';
  const all = vectors[name]!;

  test(`${title}: ids and types of ${all.length} texts and pairs, cut or whole, are those of the Rust tokenizers`, {
    skip,
  }, () => {
    const tokenizer = huggingFace(read(path), {});
    for (const { text, pair, length = 1e6, ids, types } of all) {
      const found = cut(tokenizer.encode(text, pair), length, tokenizer, text, pair);
      assert.deepEqual({ ids: found.ids, types: found.types }, { ids, types }, JSON.stringify({ text, pair, length }));
    }
  });
}

test('vocab.txt gives the same for all of them', { skip: existsSync(minilm) ? false : 'skipped: no trained models' }, () => {
  const tokenizer = wordPiece(readVocabulary(readFileSync(join(minilm, 'vocab.txt'), 'utf8')), {});
  for (const { text, pair, length = 1e6, ids, types } of vectors.minilm!) {
    const found = cut(tokenizer.encode(text, pair), length, tokenizer, text, pair);
    assert.deepEqual({ ids: found.ids, types: found.types }, { ids, types }, JSON.stringify({ text, pair, length }));
  }
});
