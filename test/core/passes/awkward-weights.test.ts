import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { memoryFolder, memorySource } from '../../../src/core/bytes/memory.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { planOf, weightEdits, writeToMemory } from './fixtures.ts';
import { cosine, numbersOf, run, someIds } from './run.ts';

const { onnx } = onnxProto;
const SIDE = 64;
const [FLOAT, INT64, BOOL, DOUBLE] = [1, 7, 9, 11];

/** Numbers between -1/4 and 1/4, other ones for each seed. */
const numbers = (seed: number, count = SIDE * SIDE) => Array.from({ length: count }, (_, i) => Math.sin(i * 1.3 + seed) / 4);
const weight = (name: string, seed: number) => ({ name, dims: [SIDE, SIDE], dataType: FLOAT, floatData: numbers(seed) });
const value = (name: string, elemType: number, axes: (string | number)[]) => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: axes.map(axis => (typeof axis === 'number' ? { dimValue: axis } : { dimParam: axis })) },
    },
  },
});
const node = (opType: string, input: string[], output: string, attribute: object[] = []) => ({
  opType,
  input,
  output: [output],
  name: output,
  attribute,
});
const { INT, GRAPH } = onnx.AttributeProto.AttributeType;
const to = (type: number) => [{ name: 'to', type: INT, i: type }];
const branch = (name: string, matrix: string, initializer: object[]) => ({
  name,
  type: GRAPH,
  g: {
    name,
    node: [node('MatMul', ['rows', matrix], `${name}_out`)],
    initializer,
    output: [value(`${name}_out`, FLOAT, ['batch', 'sequence', SIDE])],
  },
});

/**
 * Looked up and multiplied by again (a tied decoder), one matrix for two products, a matrix of 64 bits, one that a branch captures and
 * one that lives within a branch.
 */
function awkward(): Uint8Array {
  const graph = {
    name: 'awkward',
    input: [value('input_ids', INT64, ['batch', 'sequence'])],
    output: [value('logits', FLOAT, ['batch', 'sequence', 100])],
    initializer: [
      { name: 'table', dims: [100, SIDE], dataType: FLOAT, floatData: numbers(1, 100 * SIDE) },
      weight('twice', 2),
      weight('captured', 3),
      { name: 'double', dims: [SIDE, SIDE], dataType: DOUBLE, doubleData: numbers(4) },
      { name: 'yes', dims: [], dataType: BOOL, int32Data: [1] },
    ],
    node: [
      node('Gather', ['table', 'input_ids'], 'looked'),
      node('MatMul', ['looked', 'twice'], 'once'),
      node('MatMul', ['once', 'twice'], 'rows'),
      node('If', ['yes'], 'chosen', [
        branch('then_branch', 'captured', []),
        branch('else_branch', 'inside', [weight('inside', 5)]),
      ]),
      node('Cast', ['chosen'], 'long', to(DOUBLE)),
      node('MatMul', ['long', 'double'], 'longer'),
      node('Cast', ['longer'], 'short', to(FLOAT)),
      node('Transpose', ['table'], 'turned', [{ name: 'perm', type: onnx.AttributeProto.AttributeType.INTS, ints: [1, 0] }]),
      node('MatMul', ['short', 'turned'], 'logits'),
    ],
  };
  return onnx.ModelProto.encode(
    onnx.ModelProto.create({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph }),
  ).finish();
}

const file = awkward();
const ids = someIds(2, 7);
const before = numbersOf((await run(file, ids)).logits!);

for (const [options, least] of [
  [{}, 0.998],
  [{ operators: 'standard' }, 0.998],
  [{ scheme: 'int8-dynamic' }, 0.99],
  [{ scheme: 'int8-weights' }, 0.999],
  [{ scheme: 'int4' }, 0.98],
  [{ scheme: 'int4', operators: 'standard' }, 0.98],
  [{ scheme: 'fp16' }, 0.99999],
  [{ scheme: 'bf16' }, 0.999],
  [{ scheme: 'fp8' }, 0.99],
  [{ scheme: 'mixed' }, 0.98],
] as const)
  test(`${JSON.stringify(options)}: tied, twice read, captured, inner and 64-bit weights: each is changed or named with a reason, stored once, and the graph runs within cosine ${least}`, async () => {
    const model = await openModel(memorySource('awkward.onnx', file), memoryFolder(new Map()));
    const body = { model, anatomy: await detect(model) };
    const plan = await planOf(body, options);
    const changed = weightEdits(plan).map(({ target }) => target.weight.name);
    assert.equal(new Set(changed).size, changed.length, 'a weight is quantized twice');
    const files = await writeToMemory((await apply(body, plan)).model);
    const after = numbersOf((await run(files.get('model.onnx')!, ids)).logits!);
    assert.ok(cosine(before, after) >= least, `cosine ${cosine(before, after)}`);
    if (plan.edits.some(({ kind }) => kind === 'convert')) return;
    assert.ok(changed.includes('twice'), 'the plain one is left alone');
    const told = new Set(
      [...weightEdits(plan), ...plan.skipped].map(({ target }) => (typeof target === 'string' ? target : target.id)),
    );
    assert.equal([...told].filter(id => !id.startsWith('*')).length, 5, [...told].join(', '));
  });
