import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadroomError } from '../../src/core/errors.ts';
import { longNames, mutateEntries, mutateGraph, oddConfig } from './mutations.ts';
import { randomFrom } from './random.ts';
import { bertEntries, bertGraph, checkpointFile, onnxFile } from './specimen.ts';
import { opensWhole } from './whole.ts';

test('the specimens are BERTs', async () => {
  for (const [name, bytes] of [
    ['m.onnx', onnxFile(bertGraph())],
    ['m.safetensors', checkpointFile(bertEntries())],
  ] as const) {
    const summary = await opensWhole(name, bytes, name, '{"model_type":"bert","num_attention_heads":2,"hidden_size":8}');
    assert.ok(!(summary instanceof HeadroomError), String(summary));
    assert.deepEqual([summary.model.family, summary.model.heads], ['bert', [2, 2]]);
  }
});

/** HEADROOM_FUZZ multiplies the number of attacks: for an hour's search beside the minutes of a test run. */
const times = Number(process.env.HEADROOM_FUZZ ?? 1);

test('graphs taken apart and put together wrongly open whole or are refused', async () => {
  const tally = { bert: 0, opened: 0, refused: 0 };
  for (let seed = 0; seed < 400 * times; seed++) {
    const random = randomFrom(seed);
    const graph = bertGraph();
    const done = mutateGraph(graph, random);
    const config = random(3) === 0 ? oddConfig(random) : undefined;
    const result = await opensWhole('m.onnx', onnxFile(graph), `seed ${seed}: ${done}; config ${config?.slice(0, 300)}`, config);
    count(tally, result);
  }
  assert.ok(tally.bert > 100 * times && tally.opened > 100 * times && tally.refused > 5 * times, JSON.stringify(tally));
});

test('checkpoints taken apart and put together wrongly open whole or are refused', async () => {
  const tally = { bert: 0, opened: 0, refused: 0 };
  for (let seed = 0; seed < 600 * times; seed++) {
    const random = randomFrom(seed);
    const entries = bertEntries();
    const done = mutateEntries(entries, random);
    const config = random(2) === 0 ? oddConfig(random) : undefined;
    const bytes = checkpointFile(entries);
    count(tally, await opensWhole('m.safetensors', bytes, `seed ${seed}: ${done}; config ${config?.slice(0, 300)}`, config));
  }
  assert.ok(tally.bert > 100 * times && tally.opened > 10 * times && tally.refused > 50 * times, JSON.stringify(tally));
});

test('a config.json of wrong types changes no more than what it says', async () => {
  const bytes = checkpointFile(bertEntries());
  const graph = onnxFile(bertGraph());
  for (let seed = 0; seed < 150 * times; seed++) {
    const config = oddConfig(randomFrom(seed));
    for (const [name, file] of [
      ['m.safetensors', bytes],
      ['m.onnx', graph],
    ] as const) {
      const result = await opensWhole(name, file, `seed ${seed}: ${config.slice(0, 300)}`, config);
      assert.ok(!(result instanceof HeadroomError), `seed ${seed}: a good file is refused: ${result} ${config.slice(0, 300)}`);
    }
  }
});

test('names of a megabyte are looked at in two seconds, as names of tensors, of nodes and of scopes', async () => {
  for (const [index, name] of longNames.entries()) {
    const what = `long name ${index}: ${JSON.stringify(name.slice(0, 40))}`;
    const entries = bertEntries();
    entries.at(-1)!.name = name;
    await opensWhole('m.safetensors', checkpointFile(entries), what);
    const graph = bertGraph();
    const [tensor, node] = [graph.tensors.at(-2)!, graph.nodes.at(-1)!];
    node.inputs = node.inputs.map(input => (input === tensor.name ? name : input));
    tensor.name = name;
    await opensWhole('m.onnx', onnxFile(graph), what);
  }
});

function count(tally: { bert: number; opened: number; refused: number }, result: Awaited<ReturnType<typeof opensWhole>>): void {
  if (result instanceof HeadroomError) tally.refused++;
  else if (result.model.layers > 0) tally.bert++;
  else tally.opened++;
}
