import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { held } from '../../../src/core/passes/computed.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { createSession } from '../../../src/core/session/session.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import { generated, nameOf, noGenerated, openSource, writeToMemory } from '../passes/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'headroom-again-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A file whose matrix `id` holds a number beyond the largest of fp16. */
async function withLargeNumber(file: string, id: string): Promise<string> {
  const source = await openSource(join(generated, file));
  const { body } = source;
  const target = body.anatomy.linears.find(linear => linear.id === id)!;
  const { name, shape } = target.weight;
  const values = Float32Array.from(await readFloats(target.weight));
  values[values.length - 1] = -7e4;
  const edit = { kind: 'replace', target, weight: held(name, 'fp32', shape, values) } as const;
  const { model } = await apply(body, { edits: [edit], skipped: [] });
  const path = join(folder, nameOf(model));
  writeFileSync(path, (await writeToMemory(model)).get(nameOf(model))!);
  await source.close();
  return path;
}

for (const file of ['bert-base/model.torchscript.onnx', 'bert-base/model.safetensors'])
  test(`${file}: a number beyond fp16 that shows only while the file is written is found by planning again: what a dry run says, and nothing left over`, {
    skip: noGenerated,
  }, async () => {
    const id = 'encoder.layer.1.intermediate.dense';
    const path = await withLargeNumber(file, id);
    const out = join(folder, `out${path.slice(path.lastIndexOf('.'))}`);
    const recipe = { version: 1 as const, steps: [{ pass: 'quantize', options: { scheme: 'fp16' } }] };
    const session = createSession();
    const foreseen = await session.compress({ path, out, recipe, dryRun: true });
    const before = readdirSync(folder);
    const made = await session.compress({ path, out, recipe });
    assert.deepEqual(
      made.skipped.filter(({ reason }) => reason.includes('65504')).map(({ target }) => target),
      [id],
    );
    assert.deepEqual({ edits: made.edits, skipped: made.skipped }, { edits: foreseen.edits, skipped: foreseen.skipped });
    assert.equal(statSync(out).size, foreseen.after.fileBytes);
    const added = readdirSync(folder).filter(name => !before.includes(name));
    assert.ok(!added.some(name => name.endsWith('.tmp')), added.join());
  });
