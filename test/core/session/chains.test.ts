import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { linearsIn, matricesIn } from '../../../src/core/anatomy/anatomy.ts';
import type { Step } from '../../../src/core/passes/pass.ts';
import { compress, sizesOf } from '../../../src/core/session/compress.ts';
import { openPath } from '../../../src/core/session/open.ts';

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const folder = mkdtempSync(join(tmpdir(), 'headroom-chains-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const words = 'the a cat dog house runs sees of in to and is was big small one two three red blue'.split(' ');
const text = join(folder, 'text.txt');
writeFileSync(
  text,
  Array.from({ length: 24 }, (_, i) =>
    Array.from({ length: 3 + (i % 7) }, (__, j) => words[(i * 7 + j * (3 + (i % 5))) % words.length]).join(' '),
  ).join('\n'),
);

const prune: readonly Step[] = [
  { pass: 'prune-heads', options: { fraction: 0.25, by: 'activation', repair: 'least-squares' } },
  { pass: 'prune-neurons', options: { fraction: 0.25, by: 'reconstruction', repair: 'least-squares' } },
  { pass: 'quantize', options: { scheme: 'int8' } },
];
const thin: readonly Step[] = [
  { pass: 'factorize-embeddings', options: { rank: 12, method: 'weighted' } },
  { pass: 'factorize', options: { ratio: 0.7, method: 'whitened' } },
  { pass: 'quantize', options: { scheme: 'int4', rounding: 'gptq', block_size: 16, embedding_bits: 4 } },
];

/** Writes what the first steps make of a model, and opens it again. */
async function made(path: string, steps: readonly Step[], name: string) {
  const out = join(folder, name, path.endsWith('.onnx') ? 'model.onnx' : 'model.safetensors');
  const report = await compress({
    path: join(generated, path),
    out,
    recipe: { version: 1, steps },
    calibration: text,
    force: true,
  });
  const opened = await openPath(out);
  try {
    const { model, anatomy } = opened;
    assert.equal(report.after.parameters, sizesOf(model, anatomy).parameters, name);
    assert.equal(report.after.fileBytes, model.byteLength, name);
    return { report, anatomy };
  } finally {
    await opened.close();
  }
}

for (const path of [
  'bert-base/model.torchscript.onnx',
  'bert-base/model.dynamo.onnx',
  'bert-base/model.safetensors',
  'roberta-base/model.torchscript.onnx',
  'distilbert-base/model.safetensors',
  'electra-base/model.torchscript.onnx',
])
  test(`${path}: heads, then neurons, then int8; each written file is seen as what it is`, {
    skip: skip || (!existsSync(join(generated, path)) && `skipped: no ${path}`),
  }, async () => {
    const opened = await openPath(join(generated, path));
    const before = opened.anatomy.layers;
    await opened.close();
    const count = (it: typeof before, of: (layer: (typeof before)[number]) => number) =>
      it.reduce((sum, layer) => sum + of(layer), 0);
    const lengths = path === 'bert-base/model.safetensors' ? [1, 2, 3] : [3];
    for (const length of lengths) {
      const { anatomy } = await made(path, prune.slice(0, length), `prune-${path.replaceAll('/', '-')}-${length}`);
      assert.equal(anatomy.layers.length, before.length);
      const heads = count(before, layer => layer.heads);
      assert.equal(
        count(anatomy.layers, layer => layer.heads),
        heads - Math.round(heads * 0.25),
        `${length} steps`,
      );
      if (length > 1) {
        const neurons = count(before, layer => layer.up.out);
        assert.equal(
          count(anatomy.layers, layer => layer.up.out),
          neurons - Math.round(neurons * 0.25),
          `${length} steps`,
        );
      }
    }
  });

for (const path of ['bert-base/model.torchscript.onnx', 'bert-base/model.safetensors', 'roberta-base/model.torchscript.onnx'])
  test(`${path}: a narrow table, thin matrices, then few bits: factors are what is quantized`, { skip }, async () => {
    const isGraph = path.endsWith('.onnx');
    const steps = isGraph ? thin : [...thin.slice(0, 2), { pass: 'quantize', options: { scheme: 'int8' } }];
    const { anatomy, report } = await made(path, steps, `thin-${path.replaceAll('/', '-')}`);
    const promised = await compress({
      path: join(generated, path),
      out: join(folder, isGraph ? 'dry.onnx' : 'dry.safetensors'),
      recipe: { version: 1, steps },
      calibration: text,
      dryRun: true,
    });
    assert.equal(promised.after.fileBytes, report.after.fileBytes, 'a dry run tells the size');
    assert.ok(anatomy.embeddingProjection, 'the table is narrow');
    const factored = anatomy.layers.flatMap(matricesIn).filter(({ factors }) => factors);
    assert.ok(factored.length > 0);
    const quantized = report.edits.filter(({ kind, target }) => /quantize/.test(kind) && /\.(first|second)$/.test(target));
    assert.ok(quantized.length > 0);
    for (const { target } of quantized) {
      const linear = anatomy.layers.flatMap(linearsIn).find(({ id }) => id === target);
      assert.equal(linear?.form, 'quantized', target);
    }
  });

test('layers that share, then factors for what all of them read, then int8: two of three layers are still one', {
  skip,
}, async () => {
  const steps: readonly Step[] = [
    { pass: 'share-layers', options: { groups: [[0, 1]] } },
    { pass: 'factorize', options: { ratio: 0.7, method: 'whitened' } },
    { pass: 'quantize', options: { scheme: 'int8' } },
  ];
  for (const path of ['bert-base/model.torchscript.onnx', 'bert-base/model.safetensors']) {
    const { anatomy } = await made(path, steps, `share-${path.replaceAll('/', '-')}`);
    assert.deepEqual(
      anatomy.layers.map(({ stored }) => stored),
      [0, 0, 2],
      path,
    );
    assert.ok(
      anatomy.layers.flatMap(matricesIn).every(({ form, factors }) => form === 'factored' || factors),
      path,
    );
  }
});
