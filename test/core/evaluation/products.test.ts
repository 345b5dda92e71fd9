import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { multiplyAdds } from '../../../src/core/evaluation/products/multiply-adds.ts';
import { storedShapes } from '../../../src/core/evaluation/products/stored-shapes.ts';
import { openPath } from '../../../src/core/session/open.ts';

const root = resolve(import.meta.dirname, '../../..');
const generated = resolve(root, '../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';

async function count(path: string, batch: number, length: number): Promise<number | undefined> {
  const opened = await openPath(path);
  try {
    return multiplyAdds((await storedShapes(opened.model))!, batch, length);
  } finally {
    await opened.close();
  }
}

test('the sample’s products at 2 texts of 16 tokens are those of its sizes, to the one', async () => {
  // 4 layers of hidden 128, feed-forward 512; scores and their use over 16 tokens; pooler and two classes of one token a text.
  const [tokens, hidden, layers] = [2 * 16, 128, 4];
  const layer = tokens * (4 * hidden * hidden + 2 * hidden * 4 * hidden) + 2 * tokens * 16 * hidden;
  assert.equal(await count(join(root, 'media/sample/model.onnx'), 2, 16), layers * layer + 2 * (hidden * hidden + 2 * hidden));
});

test('every export of one model has the same products: fused, fp16, int8 and QDQ ones too', { skip }, async () => {
  for (const model of ['bert-base', 'bert-sequence-classification', 'distilbert-base', 'roberta-base']) {
    const folder = join(generated, model);
    const files = readdirSync(folder).filter(name => name.endsWith('.onnx'));
    assert.ok(files.length > 1);
    const counts = await Promise.all(files.map(async name => [name, await count(join(folder, name), 1, 32)] as const));
    for (const [name, found] of counts) assert.equal(found, counts[0]![1], `${model}/${name}`);
    assert.ok(counts[0]![1]! > 0);
  }
});
