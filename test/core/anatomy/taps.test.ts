import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { type LayerTaps, type Taps, taps } from '../../../src/core/anatomy/taps.ts';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../src/core/bytes/folder.ts';
import { openOutput } from '../../../src/core/bytes/output.ts';
import { onnxRuntime } from '../../../src/core/evaluation/onnxruntime.ts';
import { probedModel } from '../../../src/core/evaluation/probe/probed-model.ts';
import type { Values } from '../../../src/core/evaluation/runtime.ts';
import { onnx } from '../../../src/core/format/onnx/onnx.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { closeModel } from '../../../src/core/format/stored.ts';
import type { Graph } from '../../../src/core/model/graph.ts';
import { newNode } from '../../../src/core/model/graph-edit.ts';
import type { Model } from '../../../src/core/model/model.ts';

// B batch, T tokens, C hidden

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const absent = existsSync(generated) ? false : 'skipped: no generated models';
const scratch = mkdtempSync(join(tmpdir(), 'headroom-taps-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

interface Run {
  readonly taps: Taps;
  readonly results: ReadonlyMap<string, Values>;
  /** The numbers of a tap; [] where the graph has no such value. */
  of(value: string | undefined): Float32Array;
}

let runs = 0;

/** Every tapped value of the model, for the inputs of its expected.json. */
async function run(path: string): Promise<Run> {
  const model = (await openModel(await openFileSource(path), fileFolder(dirname(path)))) as Model & { graph: Graph };
  const found = taps(model, await detect(model));
  const probed = probedModel(model, [
    ...found.layers.flatMap(valuesOf),
    ...found.linearInput.values(),
    ...found.linearOutput.values(),
  ]);
  const output = await openOutput(scratch, { overwrite: true });
  const name = `${runs++}.onnx`;
  await onnx.write(probed, output, name);
  await output.commit();
  await closeModel(model);
  const runner = await (await onnxRuntime()).load(join(scratch, name), 1);
  const { inputs } = expected(dirname(path)) as { inputs: Record<string, number[][]> };
  const feeds = runner.inputs.map(({ name }) => {
    const rows = inputs[name]!;
    return [name, { ids_BT: Int32Array.from(rows.flat()), shape: [rows.length, rows[0]!.length] as const }] as const;
  });
  const results = await runner.run(new Map(feeds), runner.outputs);
  await runner.close();
  return { taps: found, results, of: value => results.get(value ?? '')?.data ?? new Float32Array() };
}

const valuesOf = (layer: LayerTaps): string[] =>
  [layer.input, layer.attentionNormOut, layer.output, layer.attentionProbabilities, layer.context].filter(it => it !== undefined);

const expected = (folder: string) => JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length || a.length === 0) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

const models = (pattern: RegExp) =>
  absent ? [] : readdirSync(generated, { recursive: true, encoding: 'utf8' }).filter(path => pattern.test(path));

test('what leaves the last layer is last_hidden_state, whoever wrote the graph: equal to the last bit', {
  skip: absent,
}, async t => {
  const paths = models(/(bert|roberta|albert|distilbert|electra)-base\/model\..*onnx$/);
  assert.ok(paths.length >= 16);
  for (const path of paths)
    await t.test(path, async () => {
      const { taps, results, of } = await run(join(generated, path));
      assert.ok(taps.layers.length >= 2);
      assert.deepEqual(of(taps.layers.at(-1)!.output), results.get('last_hidden_state')!.data);
      assert.equal(taps.embeddings, taps.layers[0]!.input);
      for (const [index, layer] of taps.layers.entries()) {
        assert.equal(layer.output, taps.layers[index + 1]?.input ?? layer.output);
        assert.ok(layer.attentionNormOut && layer.context);
      }
    });
});

for (const folder of ['bert-base', 'albert-base'])
  test(`${folder}: hidden states and attention of every layer are those of transformers within 1e-4`, {
    skip: absent,
  }, async t => {
    const known = JSON.parse(readFileSync(join(import.meta.dirname, 'hidden-states.json'), 'utf8'))[folder];
    const [first, width] = [5, folder === 'bert-base' ? 40 : 36];
    for (const path of models(new RegExp(`^${folder}/model\\.(torchscript|sdpa|dynamo|ort-fused)\\.onnx$`)))
      await t.test(path, async () => {
        const { taps, of } = await run(join(generated, path));
        const states = [taps.embeddings, ...taps.layers.map(layer => layer.output)];
        for (const [index, value] of states.entries())
          assert.ok(
            furthest(
              of(value).filter((_, i) => i % width < first),
              known.hidden[index],
            ) < 1e-4,
            `layer ${index}`,
          );
        if (path.includes('ort-fused')) return;
        const attention = of(taps.layers[1]!.attentionProbabilities);
        assert.ok(furthest(attention.slice(0, known.attention.length), known.attention) < 1e-4);
      });
  });

test('an exporter and another tap the same numbers within 2e-5, in and behind every matrix', { skip: absent }, async () => {
  const [eager, sdpa, dynamo, fused] = await Promise.all(
    ['torchscript', 'sdpa', 'dynamo', 'ort-fused'].map(form => run(join(generated, `bert-base/model.${form}.onnx`))),
  );
  for (const other of [sdpa!, dynamo!, fused!]) {
    for (const kind of ['linearInput', 'linearOutput'] as const)
      for (const [id, value] of other.taps[kind])
        if (eager!.taps[kind].has(id))
          assert.ok(furthest(other.of(value), eager!.of(eager!.taps[kind].get(id)!)) < 2e-5, `${kind} ${id}`);
    assert.ok(other.taps.linearInput.size >= eager!.taps.linearInput.size);
  }
  assert.equal(sdpa!.taps.linearOutput.size, eager!.taps.linearOutput.size);
});

test('where an operator holds attention, a norm or an activation, what it keeps to itself is undefined', {
  skip: absent,
}, async () => {
  const { taps } = await run(join(generated, 'bert-base/model.ort-fused.onnx'));
  for (const [index, { attentionProbabilities, attention }] of taps.layers.entries()) {
    assert.deepEqual([attentionProbabilities, attention.opType], [undefined, 'Attention']);
    for (const part of ['attention.self.query', 'attention.output.dense', 'intermediate.dense', 'output.dense']) {
      assert.equal(taps.linearOutput.has(`encoder.layer.${index}.${part}`), false);
      assert.ok(taps.linearInput.has(`encoder.layer.${index}.${part}`));
    }
  }
});

test('a linear gives what its weight and bias make of its input within 1e-4: of a product of integers too, within 0.1', {
  skip: absent,
}, async t => {
  for (const [form, tolerance] of [
    ['torchscript', 1e-4],
    ['int8', 0.1],
    ['qdq', 0.1],
  ] as const)
    await t.test(form, async () => {
      const path = join(generated, `bert-base/model.${form}.onnx`);
      const [{ taps, of }, checkpoint] = await Promise.all([
        run(path),
        openModel(await openFileSource(join(generated, 'bert-base/model.safetensors')), fileFolder(join(generated, 'bert-base'))),
      ]);
      const { linears } = await detect(checkpoint);
      for (const { id, weight, bias, out, in: width } of linears) {
        const input = of(taps.linearInput.get(id));
        const found = of(taps.linearOutput.get(id));
        const [weight_OI, bias_O] = await Promise.all([weight, bias!].map(async it => floats(await it.bytes())));
        for (const place of [0, 1, found.length - 1]) {
          const [row, column] = [Math.floor(place / out), place % out];
          let sum = bias_O![column]!;
          for (let i = 0; i < width; i++) sum += input[row * width + i]! * weight_OI![column * width + i]!;
          assert.ok(Math.abs(sum - found[place]!) < tolerance, `${id}: ${sum} and ${found[place]}`);
        }
      }
      await closeModel(checkpoint);
    });
});

const floats = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

test('layers that share their matrices have inputs of their own', { skip: absent }, async () => {
  const { taps, of } = await run(join(generated, 'albert-base/model.torchscript.onnx'));
  const queries = taps.layers.map(({ index }) => taps.linearInput.get(`encoder.layer.${index}.attention.self.query`));
  assert.equal(new Set(queries).size, 4);
  for (const [index, query] of queries.entries()) assert.deepEqual(of(query), of(taps.layers[index]!.input));
});

test('a value that only a function of the file makes is no tap; what stands around the call is', { skip: absent }, async () => {
  const path = join(generated, 'bert-base/model.torchscript.onnx');
  const model = (await openModel(await openFileSource(path), fileFolder(dirname(path)))) as Model & { graph: Graph };
  const plain = taps(model, await detect(model));
  const { attention } = plain.layers[1]!;
  const call = newNode('soft', attention.inputs, attention.outputs, { domain: 'local' });
  const softmax = { ...attention, inputs: ['x'], outputs: ['p'] };
  const soft = {
    domain: 'local',
    name: 'soft',
    inputs: ['x'],
    outputs: ['y'],
    nodes: [softmax, newNode('Identity', ['p'], ['y'])],
  };
  const nodes = model.graph.nodes.map(node => (node === attention ? call : node));
  const calling = { ...model, graph: { ...model.graph, nodes, functions: [soft] } };
  const found = taps(calling, await detect(calling));
  await closeModel(model);
  assert.deepEqual(
    found.layers.map(layer => layer.attentionProbabilities),
    [plain.layers[0]!.attentionProbabilities, undefined, plain.layers[2]!.attentionProbabilities],
  );
  assert.deepEqual([found.linearInput, found.linearOutput], [plain.linearInput, plain.linearOutput]);
  assert.deepEqual(
    found.layers.map(layer => layer.output),
    plain.layers.map(layer => layer.output),
  );
});
