import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ownSentences } from '../../../src/core/session/own-sentences.ts';

const folder = mkdtempSync(join(tmpdir(), 'headroom-sentences-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('sentences are English; a vocabulary with 2,000 Chinese characters brings the Chinese ones', async () => {
  const english = await ownSentences(join(folder, 'model.onnx'));
  assert.deepEqual(english.languages, ['en']);
  assert.ok(english.texts.length >= 60);
  const words = Array.from({ length: 2000 }, (_, i) => String.fromCharCode(0x4e00 + i));
  writeFileSync(join(folder, 'vocab.txt'), words.join('\n'));
  const both = await ownSentences(join(folder, 'model.onnx'));
  assert.deepEqual(both.languages, ['en', 'zh']);
  assert.deepEqual(both.texts.slice(0, english.texts.length), english.texts);
  assert.match(both.texts.at(-1)!, /[\u4e00-\u9fff]/);
  assert.deepEqual(await ownSentences(folder), both);
});
