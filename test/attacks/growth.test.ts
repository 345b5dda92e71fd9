import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadroomError } from '../../src/core/errors.ts';
import {
  bertGraph,
  checkpointFile,
  type EntrySpec,
  type GraphSpec,
  type NodeSpec,
  onnxFile,
  type TensorSpec,
} from './specimen.ts';
import { opensWhole } from './whole.ts';

// Graphs and checkpoints in which a search that is quadratic takes minutes. Each is opened, recognised and summarised in two seconds.

const run = (op: string, inputs: string[], ...outputs: string[]): NodeSpec => ({ op, inputs, outputs, attributes: {} });
const repeat = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const square = (name: string, side: number): TensorSpec => ({
  name,
  type: 1,
  dims: [side, side],
  raw: new Uint8Array(4 * side * side).map((_, i) => i % 13),
});
const embedded = run('Gather', ['w', 'x'], 'e');
const graph = (nodes: NodeSpec[], outputs = ['y']): GraphSpec => ({
  nodes: [embedded, ...nodes],
  tensors: [square('w', 4)],
  inputs: ['x'],
  outputs,
});
/** Each reads what the one before makes, and more. */
const chain = (count: number, op: string, more: (i: number) => string[] = () => [], from = 'e'): NodeSpec[] =>
  repeat(count, i => run(op, [i === 0 ? from : `h${i - 1}`, ...more(i)], `h${i}`));
const earlier = (i: number): string[] => [i > 1 ? `h${i - 2}` : 'e'];

const graphs: Readonly<Record<string, (n: number) => GraphSpec>> = {
  'a chain of activations': n => graph(chain(n, 'Relu')),
  'a chain that stands upside down': n => ({ ...graph([]), nodes: [embedded, ...chain(n, 'Relu')].reverse() }),
  'a chain of products, each an output': n =>
    graph(
      chain(n, 'MatMul', () => ['w']),
      repeat(n, i => `h${i}`),
    ),
  'a chain of norms': n => graph(chain(n, 'LayerNormalization', () => ['w'])),
  'a chain of softmaxes': n => graph(chain(n, 'Softmax')),
  'a sum of the two before, again and again': n => graph(chain(n, 'Add', earlier)),
  'a product of the two before, again and again': n => graph(chain(n, 'MatMul', earlier)),
  'many products of one value': n => graph(repeat(n, i => run('MatMul', ['e', 'w'], `h${i}`))),
  'many softmaxes of one product': n =>
    graph([
      run('MatMul', ['e', 'w'], 'q'),
      run('MatMul', ['e', 'w'], 'k'),
      run('MatMul', ['q', 'k'], 's'),
      ...repeat(n, i => run('Softmax', ['s'], `p${i}`)),
      ...repeat(n, i => run('MatMul', [`p${i}`, 'q'], `c${i}`)),
    ]),
  'many softmaxes at the end of a chain': n =>
    graph([
      run('MatMul', ['e', 'w'], 'p'),
      ...chain(n, 'Relu', undefined, 'p'),
      ...repeat(n, i => run('MatMul', [`h${n - 1}`, `h${n - 1}`], `s${i}`)),
      ...repeat(n, i => run('Softmax', [`s${i}`], `z${i}`)),
    ]),
  'a node of many inputs': n =>
    graph([
      run(
        'Concat',
        repeat(10 * n, i => (i % 2 ? 'e' : 'x')),
        'c',
      ),
    ]),
  'a node of many outputs': n => graph([run('Split', ['e'], ...repeat(n, i => `o${i}`))]),
  'a sum of many products': n =>
    graph([
      ...repeat(n, i => run('MatMul', ['e', 'w'], `h${i}`)),
      run(
        'Sum',
        repeat(n, i => `h${i}`),
        'c',
      ),
    ]),
  'many tensors of one name': n => ({ ...graph([]), tensors: repeat(n, () => square('w', 1)) }),
  'many heads on a BERT': n =>
    onBert(
      n,
      (last, i) => run('MatMul', [last, `w${i}`], `h${i}`),
      repeat(n, i => square(`w${i}`, 3)),
    ),
  'a chain on a BERT': n => onBert(n, (last, i) => run('MatMul', [i === 0 ? last : `h${i - 1}`, 'w'], `h${i}`), [square('w', 3)]),
};

function onBert(n: number, make: (last: string, i: number) => NodeSpec, tensors: TensorSpec[]): GraphSpec {
  const bert = bertGraph();
  const last = bert.outputs[0]!;
  return {
    ...bert,
    nodes: [...bert.nodes, ...repeat(n, i => make(last, i))],
    tensors: [...bert.tensors, ...tensors],
    outputs: repeat(n, i => `h${i}`),
  };
}

for (const [what, make] of Object.entries(graphs))
  test(`${what}: 10,000 are opened in two seconds`, async () => {
    const result = await opensWhole('m.onnx', onnxFile(make(10_000)), what);
    assert.ok(!(result instanceof HeadroomError), String(result));
  });

const entry = (name: string): EntrySpec => ({ name, dtype: 'F32', shape: [2, 2] });
const matrices = ['attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense'];
const layer = [...matrices, 'intermediate.dense', 'output.dense'];
const checkpoints: Readonly<Record<string, (n: number) => EntrySpec[]>> = {
  'tensors of no family': n => repeat(n, i => entry(`t${i}`)),
  'queries alone': n => repeat(n, i => entry(`encoder.layer.${i}.attention.self.query.weight`)),
  'heads alone': n => repeat(n, i => entry(`classifier.${i}.weight`)),
  'whole layers': n => repeat(n / 10, i => layer.map(name => entry(`encoder.layer.${i}.${name}.weight`))).flat(),
};

for (const [what, make] of Object.entries(checkpoints))
  test(`a checkpoint of 15,000 ${what} is opened in two seconds`, async () => {
    const result = await opensWhole('m.safetensors', checkpointFile(make(15_000)), what);
    assert.ok(!(result instanceof HeadroomError), String(result));
  });
