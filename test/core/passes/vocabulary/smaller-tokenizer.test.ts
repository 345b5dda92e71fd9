import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { memoryFolder } from '../../../../src/core/bytes/memory.ts';
import { findTokenizer } from '../../../../src/core/evaluation/tokenize/find.ts';
import { readBeside } from '../../../../src/core/passes/vocabulary/beside.ts';
import { keptOf } from '../../../../src/core/passes/vocabulary/kept.ts';
import { piecesOf } from '../../../../src/core/passes/vocabulary/pieces.ts';
import { smallerPieceModel } from '../../../../src/core/passes/vocabulary/sentence-piece.ts';
import { smallerTokenizer } from '../../../../src/core/passes/vocabulary/smaller-tokenizer.ts';

const tokenizers = resolve(import.meta.dirname, '../../evaluation/tokenizers');
const minilm = resolve(import.meta.dirname, '../../../../../shared/models/minilm');
const corpus = [
  'The unbelievable elephant was walking, slowly, to the running water.',
  "It's 12 o'clock; nobody ate the café's 345 bananas!",
  'Tokenization of subwords: rewriting, rewritten, untouchable — and ☃ 漢字.',
];
const others = ['Antidisestablishmentarianism at the zoo?', 'Пример, naïve façade', 'xyzzyplugh 9876543210'];

/** The files of a tokenizer, and what is left of them when only the corpus is kept. */
async function smaller(files: ReadonlyMap<string, Uint8Array>) {
  const folder = memoryFolder(new Map(files));
  const beside = await readBeside(folder);
  const pieces = piecesOf(beside)!;
  const before = (await findTokenizer(folder))!;
  const kept = keptOf(pieces, new Set(corpus.flatMap(line => before.encode(line).ids)), before.pad);
  const made = smallerTokenizer(beside, pieces, kept);
  return { pieces, kept, made, before, after: (await findTokenizer(memoryFolder(new Map(made))))! };
}

const cases: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
  ['byte-level BPE', { 'tokenizer.json': join(tokenizers, 'byte-level-bpe.json') }, true],
  ['Unigram', { 'tokenizer.json': join(tokenizers, 'unigram.json') }, true],
  ['WordPiece', { 'tokenizer.json': join(minilm, 'tokenizer.json') }, existsSync(minilm)],
  ['vocab.txt', { 'vocab.txt': join(minilm, 'vocab.txt') }, existsSync(minilm)],
];

for (const [title, paths, isThere] of cases)
  test(`${title}: lines of the corpus are cut into the same tokens, other lines into as many or more, and what was known stays known`, {
    skip: !isThere && 'skipped: no minilm',
  }, async () => {
    const files = new Map(Object.entries(paths).map(([name, path]) => [name, new Uint8Array(readFileSync(path))]));
    const { pieces, kept, before, after } = await smaller(files);
    assert.ok(kept.ids.length < pieces.ids.size);
    const cut = (tokenizer: typeof before, line: string) => tokenizer.encode(line).ids.map(id => tokenizer.token(id));
    for (const line of corpus) assert.deepEqual(cut(after, line), cut(before, line));
    const unknown = (tokens: readonly string[]) => tokens.filter(token => /^(\[UNK\]|<unk>)$/.test(token)).length;
    for (const line of others) {
      const [was, is] = [cut(before, line), cut(after, line)];
      assert.ok(is.length >= was.length, `${line}: ${is}`);
      assert.ok(unknown(is) <= unknown(was), `${line}: ${is}`);
    }
  });

test('ids follow everywhere they stand: added tokens, post-processors, padding, added_tokens_decoder, vocab.json, added_tokens.json', async () => {
  const json = {
    added_tokens: [
      { id: 0, content: '<pad>', special: true },
      { id: 6, content: '<s>', special: true },
    ],
    padding: { pad_id: 0, pad_token: '<pad>' },
    post_processor: {
      type: 'Sequence',
      processors: [
        { type: 'RobertaProcessing', sep: ['<s>', 6], cls: ['<s>', 6] },
        { type: 'TemplateProcessing', special_tokens: { '<s>': { id: '<s>', ids: [6], tokens: ['<s>'] } } },
      ],
    },
    model: {
      type: 'BPE',
      vocab: { '<pad>': 0, a: 1, b: 2, c: 3, ab: 4, bc: 5, '<s>': 6, abc: 7 },
      merges: ['a b', 'b c', 'ab c'],
    },
  };
  const files: [string, unknown][] = [
    ['tokenizer.json', json],
    ['tokenizer_config.json', { added_tokens_decoder: { 0: { content: '<pad>' }, 6: { content: '<s>' } } }],
    ['vocab.json', json.model.vocab],
    ['added_tokens.json', { '<s>': 6 }],
  ];
  const bytes = (text: string) => new TextEncoder().encode(text);
  const texts = new Map(files.map(([name, value]) => [name, bytes(JSON.stringify(value))]));
  texts.set('merges.txt', bytes('#version: 0.2\na b\nb c\nab c\n'));
  const beside = await readBeside(memoryFolder(texts));
  const pieces = piecesOf(beside)!;
  const kept = keptOf(pieces, [7], 0);
  // abc comes from ab, which therefore stays; bc goes.
  assert.deepEqual(kept, { ids: [0, 1, 2, 3, 4, 6, 7], merges: [0, 2] });
  const made = smallerTokenizer(beside, pieces, kept);
  const text = (name: string) => new TextDecoder().decode(made.get(name));
  const parsed = (name: string) => JSON.parse(text(name));
  const vocabulary = { '<pad>': 0, a: 1, b: 2, c: 3, ab: 4, '<s>': 5, abc: 6 };
  const found = parsed('tokenizer.json') as typeof json;
  assert.deepEqual(found.model, { type: 'BPE', vocab: vocabulary, merges: ['a b', 'ab c'] });
  assert.deepEqual(
    found.added_tokens.map(({ id }) => id),
    [0, 5],
  );
  assert.deepEqual(found.post_processor.processors[0]!.sep, ['<s>', 5]);
  assert.deepEqual(found.post_processor.processors[1]!.special_tokens!['<s>'].ids, [5]);
  assert.deepEqual(parsed('tokenizer_config.json'), { added_tokens_decoder: { 0: { content: '<pad>' }, 5: { content: '<s>' } } });
  assert.deepEqual(parsed('vocab.json'), vocabulary);
  assert.deepEqual(parsed('added_tokens.json'), { '<s>': 5 });
  assert.equal(text('merges.txt'), '#version: 0.2\na b\nab c\n');
});

test("of SentencePiece's model the pieces that are gone go, everything else keeps its bytes", () => {
  const piece = (text: string, type?: number) => {
    const body = [10, text.length, ...Buffer.from(text), 21, 0, 0, 128, 191, ...(type === undefined ? [] : [24, type])];
    return [10, body.length, ...body];
  };
  const trainer = [18, 3, 1, 2, 3];
  const model = Uint8Array.from([...piece('<unk>', 2), ...piece('one'), ...piece('two', 1), ...trainer]);
  const expected = Uint8Array.from([...piece('<unk>', 2), ...piece('two', 1), ...trainer]);
  assert.deepEqual(smallerPieceModel(model, new Set(['two'])), expected);
});
