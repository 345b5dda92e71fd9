import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSession } from '../../../src/core/session/session.ts';
import { lineageIn } from '../../../src/protocol/lineage.ts';
import { generated, noGenerated } from '../passes/fixtures.ts';

const session = createSession();
const folder = mkdtempSync(join(tmpdir(), 'headroom-heads-kept-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function prune(path: string, remove: Record<string, number[]>, name: string): Promise<string> {
  const out = join(folder, name, path.endsWith('.onnx') ? 'model.onnx' : 'model.safetensors');
  const recipe = { version: 1 as const, steps: [{ pass: 'prune-heads', options: { remove, repair: 'none' } }] };
  await session.compress({ path, recipe, out });
  return out;
}

for (const file of ['model.safetensors', 'model.torchscript.onnx'])
  test(`${file}: which heads stayed is told by config.json alone, also beside a model that had lost some already`, {
    skip: noGenerated,
  }, async () => {
    const original = join(generated, 'bert-base', file);
    const { before } = (await session.compare(original, original)).heads;
    const all = before.map(heads => Array.from({ length: heads }, (_, head) => head));
    const once = await prune(original, { 0: [1] }, `once-${file}`);
    const twice = await prune(once, { 0: [0], 1: [2] }, `twice-${file}`);
    const { heads } = await session.compare(original, twice);
    const kept = all.map((each, layer) => each.filter(head => !({ 0: [0, 1], 1: [2] }[layer] ?? []).includes(head)));
    assert.deepEqual(heads.kept, kept);
    assert.deepEqual(lineageIn({ heads }, null), { layers: all.map((_, layer) => layer), heads: kept });
    const later = await session.compare(once, twice);
    // Of the one that has lost head 1, the head after it has its number.
    assert.deepEqual(
      later.heads.kept![0],
      all[0]!.slice(0, -1).filter(head => head !== 0),
    );
    assert.equal((await session.compare(original, original)).heads.kept, undefined);
    assert.equal((await session.compare(twice, once)).heads.kept, undefined);
  });
