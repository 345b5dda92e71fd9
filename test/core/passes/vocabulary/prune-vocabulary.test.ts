import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileFolder } from '../../../../src/core/bytes/folder.ts';
import { findTokenizer } from '../../../../src/core/evaluation/tokenize/find.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { compress } from '../../../../src/core/session/compress.ts';
import { openPath } from '../../../../src/core/session/open.ts';
import { generated, noGenerated } from '../fixtures.ts';
import { numbersOf, run } from '../run.ts';

const temporary = mkdtempSync(join(tmpdir(), 'vocabulary-'));
after(() => rmSync(temporary, { recursive: true, force: true }));

const known = ['the people walk to the water.', 'a small dog, and 12 cats!', 'some words are here'];
const unseen = ['zebras jumped', 'quick brown foxes (99)'];
const corpus = join(temporary, 'corpus.txt');
writeFileSync(corpus, `${known.join('\n')}\n`);

/** Prunes a generated model to what the known texts use. */
async function pruned(path: string) {
  const out = join(temporary, path.replaceAll('/', '-').replace(/\.(\w+)$/, ''));
  const source = join(generated, path);
  const recipe = { version: 1, steps: [{ pass: 'prune-vocabulary', options: { keep_from: corpus } }] } as const;
  const report = await compress({
    path: source,
    out: `${out}/`,
    recipe,
    format: path.endsWith('onnx') ? 'onnx' : 'safetensors',
    force: true,
  });
  const [before, after] = await Promise.all(
    [dirname(source), dirname(report.out)].map(async folder => (await findTokenizer(fileFolder(folder)))!),
  );
  return { source, report, before: before!, after: after! };
}

const graphs = [
  'bert-base/model.torchscript.onnx',
  'bert-base/model.dynamo.onnx',
  'bert-base/model.fp16.onnx',
  'bert-base/model.ort-fused.onnx',
  'distilbert-base/model.torchscript.onnx',
  'roberta-base/model.torchscript.onnx',
  'albert-base/model.torchscript.onnx',
  'bert-masked-lm/model.torchscript.onnx',
  'bert-masked-lm/model.dynamo.onnx',
  'bert-pretraining/model.torchscript.onnx',
  'albert-masked-lm/model.torchscript.onnx',
];

for (const path of graphs)
  test(`${path}: texts of kept tokens have the same tokens and the same outputs, bit for bit; logits of kept words to 1e-5; other texts run`, {
    skip: noGenerated,
  }, async () => {
    const { source, report, before, after } = await pruned(path);
    const folder = (name: string) => readFileSync(join(dirname(report.out), name), 'utf8');
    const rows = (JSON.parse(folder('config.json')) as { vocab_size: number }).vocab_size;
    assert.ok(report.after.parameters < report.before.parameters);
    // New id -> old id, by the token's text.
    const old = new Map(Array.from({ length: 400 }, (_, id) => [before.token(id), id]));
    const places = Array.from({ length: rows }, (_, id) => old.get(after.token(id))!);
    for (const text of known) {
      const [oldIds, newIds] = [before.encode(text).ids, after.encode(text).ids];
      assert.deepEqual(
        newIds.map(id => places[id]),
        oldIds,
      );
      const [expected, found] = [await run(source, [[...oldIds]]), await run(report.out, [[...newIds]])];
      for (const [name, values] of Object.entries(expected)) {
        const [wanted, got] = [numbersOf(values), numbersOf(found[name]!)];
        const width = found[name]!.dims.at(-1)!;
        if (width !== rows) assert.deepEqual(got, wanted, name);
        else
          for (const [i, value] of got.entries()) {
            const expectedValue = wanted[Math.floor(i / rows) * values.dims.at(-1)! + places[i % rows]!]!;
            assert.ok(Math.abs(value - expectedValue) < 1e-5, `${name}: ${value} is not ${expectedValue}`);
          }
      }
    }
    for (const text of unseen) {
      const ids = after.encode(text).ids;
      assert.ok(ids.length >= before.encode(text).ids.length && ids.every(id => id < rows));
      await run(report.out, [[...ids]]);
    }
  });

const checkpoints = [
  'bert-base/model.safetensors',
  'bert-base/model.bf16.safetensors',
  'bert-masked-lm/model.safetensors',
  'tied-mlm/model.safetensors',
  'bert-pretraining/model.safetensors',
  'albert-masked-lm/model.safetensors',
  'roberta-base/model.safetensors',
  'prefix-model/model.safetensors',
];

for (const path of checkpoints)
  test(`${path}: the smaller checkpoint gives the same vectors for texts of kept tokens, bit for bit`, {
    skip: noGenerated,
  }, async () => {
    const { source, report } = await pruned(path);
    const [expected, found] = await Promise.all(
      [source, report.out].map(async name => {
        const opened = await openPath(name);
        const calibration = await openCalibration(opened, opened, known);
        try {
          const unclaimed = opened.anatomy.unclaimed.map(({ name: tensor }) => tensor);
          return { unclaimed, vocabulary: opened.anatomy.vocabulary, ...(await calibration.vectors([])) };
        } finally {
          await calibration.close();
          await opened.close();
        }
      }),
    );
    assert.deepEqual(found!.unclaimed, expected!.unclaimed);
    assert.ok(found!.vocabulary < expected!.vocabulary);
    assert.ok(report.after.parameters < report.before.parameters);
    assert.deepEqual(found!.pooled, expected!.pooled);
  });
