import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSession } from '../../../src/core/session/session.ts';
import { generated, noGenerated } from '../passes/fixtures.ts';

const session = createSession();
const folder = mkdtempSync(join(tmpdir(), 'headroom-state-heads-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'model.safetensors');

test('a checkpoint without config.json gets one that says its heads, and nothing else is touched', {
  skip: noGenerated,
}, async () => {
  copyFileSync(join(generated, 'bert-base/model.safetensors'), path);
  const known = await session.inspect(join(generated, 'bert-base/model.safetensors'));
  const before = await session.inspect(path);
  assert.equal(before.warnings[0]?.code, 'heads-unknown');
  assert.deepEqual(before.heads, []);
  const heads = known.model.heads[0]!;
  await session.stateHeads(path, heads);
  assert.deepEqual(readdirSync(folder).sort(), ['config.json', 'model.safetensors']);
  const found = await session.inspect(path);
  assert.deepEqual(found.warnings, []);
  assert.deepEqual(found.model.heads, known.model.heads);
  assert.deepEqual(found.heads, known.heads);
});

test('what stands in config.json already keeps its text; a number that does not divide is refused with those that do', {
  skip: noGenerated,
}, async () => {
  writeFileSync(join(folder, 'config.json'), '{\n  "layer_norm_eps": 1.0,\n  "note": "mine"\n}\n');
  await assert.rejects(session.stateHeads(path, 7), { code: 'usage', message: /cannot be split into 7 heads/ });
  assert.doesNotMatch(readFileSync(join(folder, 'config.json'), 'utf8'), /num_attention_heads/);
  await session.stateHeads(path, 4);
  assert.equal(
    readFileSync(join(folder, 'config.json'), 'utf8'),
    '{\n  "layer_norm_eps": 1.0,\n  "note": "mine",\n  "num_attention_heads": 4\n}\n',
  );
  await assert.rejects(session.stateHeads(path, 2), { code: 'usage', message: /is known/ });
});
