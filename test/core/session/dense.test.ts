import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { createSession } from '../../../src/core/session/session.ts';

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const folder = mkdtempSync(join(tmpdir(), 'headroom-dense-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('an int8 checkpoint runs, by way of a graph of the numbers it stands for: cosine to the original above 0.999', {
  skip,
}, async () => {
  const session = createSession();
  const path = join(generated, 'bert-base/model.safetensors');
  const out = join(folder, 'int8');
  const recipe = { version: 1, steps: [{ pass: 'quantize', options: { scheme: 'int8' } }] } as const;
  await session.compress({ path, recipe, out });
  const texts = ['a b c', 'the cat sat', 'one two three four'];
  const { drift } = await session.evaluate(out, { texts, against: path, threads: 1 });
  assert.ok(drift!.cosineMin! > 0.999 && drift!.cosineMin! < 1, String(drift!.cosineMin));
});
