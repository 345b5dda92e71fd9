import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Linear } from '../../../../src/core/anatomy/anatomy.ts';
import { floatsOf } from '../../../../src/core/kernels/floats.ts';
import { summarize } from '../../../../src/core/report/summary.ts';
import { compress } from '../../../../src/core/session/compress.ts';
import { openPath } from '../../../../src/core/session/open.ts';
import { generated, noGenerated } from '../fixtures.ts';

const temporary = mkdtempSync(join(tmpdir(), 'sparsity-'));
after(() => rmSync(temporary, { recursive: true, force: true }));
const text = join(temporary, 'text.txt');
const words = 'the a of to in is was for on with as by at from it that this an be are cats dogs people water small'.split(' ');
writeFileSync(
  text,
  Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: 3 + (i % 6) }, (_, j) => words[(7 * i + 5 * j * j) % words.length]).join(' '),
  ).join('\n'),
);

let runs = 0;
async function pruned(path: string, options: Readonly<Record<string, unknown>>, dryRun = false) {
  const isGraph = path.endsWith('onnx');
  const out = join(temporary, `${runs++}`, isGraph ? 'model.onnx' : 'model.safetensors');
  const recipe = { version: 1, steps: [{ pass: 'prune-weights', options }] } as const;
  return compress({ path: join(generated, path), out, recipe, calibration: text, dryRun });
}

async function weightsOf(path: string): Promise<{ linear: Linear; values: Float32Array }[]> {
  const opened = await openPath(path);
  try {
    const found = [];
    for (const { query, key, value, output, up, down } of opened.anatomy.layers)
      for (const linear of new Set([query, key, value, output, up, down].map(it => it.within ?? it)))
        found.push({ linear, values: Float32Array.from(await floatsOf(linear.weight, 0, linear.out * linear.in)) });
    return found;
  } finally {
    await opened.close();
  }
}

const zeros = (values: Float32Array): number => values.reduce((sum, value) => sum + Number(value === 0), 0);

test('magnitude: the smallest of each matrix go, the others stay as they are; 30 % of all together go across matrices', {
  skip: noGenerated,
}, async () => {
  for (const scope of ['matrix', 'global']) {
    const path = 'bert-base/model.safetensors';
    const report = await pruned(path, { sparsity: 0.3, scope });
    assert.equal(report.after.fileBytes, report.before.fileBytes);
    const [before, found] = [await weightsOf(join(generated, path)), await weightsOf(report.out)];
    const sizes = scope === 'matrix' ? before.map(({ values }) => [...values]) : [before.flatMap(({ values }) => [...values])];
    let gone = 0;
    for (const [i, { values }] of found.entries()) {
      const own = sizes[scope === 'matrix' ? i : 0]!.map(Math.abs).sort((a, b) => a - b);
      const least = own[Math.round(0.3 * own.length)]!;
      for (const [at, value] of values.entries())
        assert.equal(value, Math.abs(before[i]!.values[at]!) < least ? 0 : before[i]!.values[at]);
      gone += zeros(values);
    }
    const all = found.reduce((sum, { values }) => sum + values.length, 0);
    assert.ok(Math.abs(gone - 0.3 * all) <= found.length);
  }
});

for (const path of [
  'bert-base/model.safetensors',
  'bert-base/model.torchscript.onnx',
  'albert-base/model.safetensors',
  'bert-base/model.bf16.safetensors',
])
  test(`${path}: half of each matrix goes, two or four of each group of inputs (SparseGPT in 2:4; of the first every method), and the file is as large as before`, {
    skip: noGenerated,
  }, async () => {
    const isPlain = path.startsWith('bert-base/model.s');
    const tries = [
      { by: 'magnitude', pattern: '4:8' },
      { by: 'wanda', repair: 'none' },
      { by: 'sparsegpt', pattern: '2:4' },
      { by: 'reweighted' },
    ];
    for (const options of isPlain ? tries : tries.slice(2, 3)) {
      const report = await pruned(path, options);
      // A graph gains some bytes where a norm that stood in a node becomes an initializer.
      assert.ok(Math.abs(report.after.fileBytes / report.before.fileBytes - 1) < 1e-3);
      assert.equal(report.after.parameters, report.before.parameters);
      const size = options.pattern === '2:4' ? 4 : options.pattern === '4:8' ? 8 : 0;
      for (const { linear, values } of await weightsOf(report.out)) {
        const { out, in: wide, transposed, id } = linear;
        if (size === 0) assert.ok(Math.abs(zeros(values) - values.length / 2) < 1, `${options.by} ${id}: ${zeros(values)}`);
        for (let o = 0; size > 0 && o < out; o++)
          for (let i = 0; i + size <= wide; i += size) {
            const group = Array.from({ length: size }, (_, k) => values[transposed ? (i + k) * out + o : o * wide + i + k]!);
            assert.ok(zeros(Float32Array.from(group)) >= size / 2, `${options.by} ${id}`);
          }
      }
    }
  });

test('stored as bitmaps a checkpoint is smaller by what went less a bit for each weight, reads back as the same numbers, and sizes are known before', {
  skip: noGenerated,
}, async () => {
  for (const [path, options] of [
    ['bert-base/model.safetensors', { sparsity: 0.7 }],
    ['bert-base/model.fp16.safetensors', { pattern: '2:4' }],
    ['sharded-bert/model.safetensors.index.json', { sparsity: 0.5 }],
    ['bert-base/model.safetensors', { sparsity: 0.6, scope: 'global' }],
  ] as const) {
    const dry = await pruned(path, { ...options, store: 'bitmap' }, true);
    const [dense, sparse] = [await pruned(path, options), await pruned(path, { ...options, store: 'bitmap' })];
    assert.equal(sparse.after.fileBytes, dry.after.fileBytes, path);
    assert.equal(sparse.after.parameters, dense.after.parameters);
    assert.ok(sparse.after.fileBytes < dense.after.fileBytes, path);
    assert.deepEqual(
      (await weightsOf(sparse.out)).map(({ values }) => values),
      (await weightsOf(dense.out)).map(({ values }) => values),
    );
    const opened = await openPath(sparse.out);
    const { tree, model, file } = summarize(opened.model, opened.anatomy);
    assert.equal(model.parameters, sparse.before.parameters);
    assert.equal(opened.anatomy.unclaimed.length, 0);
    const sum = (node: typeof tree): number =>
      node.children ? node.children.reduce((all, child) => all + sum(child), 0) : node.byteLength;
    assert.equal(sum(tree), tree.byteLength);
    assert.ok(tree.byteLength <= file.byteLength);
    await opened.close();
  }
});

test('a matrix as a bitmap: column c is bit c % 8 of byte c / 8, rows begin where the offsets say', {
  skip: noGenerated,
}, async () => {
  const report = await pruned('bert-base/model.safetensors', { sparsity: 0.5, store: 'bitmap' });
  const file = readFileSync(report.out);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const name = 'encoder.layer.1.intermediate.dense';
  const part = (end: string) => {
    const {
      data_offsets: [from, to],
      dtype,
      shape,
    } = header[`${name}.${end}`]!;
    return { dtype, shape, bytes: Uint8Array.from(file.subarray(8 + length + from, 8 + length + to)) };
  };
  const [compressed, bitmask, offsets, shape] = ['compressed', 'bitmask', 'row_offsets', 'shape'].map(part);
  const [rows, columns] = [...new BigInt64Array(shape!.bytes.buffer)].map(Number) as [number, number];
  assert.deepEqual(bitmask!.shape, [rows, Math.ceil(columns / 8)]);
  assert.deepEqual([compressed!.dtype, bitmask!.dtype, offsets!.dtype, shape!.dtype], ['F32', 'U8', 'I64', 'I64']);
  const kept = new Float32Array(compressed!.bytes.buffer);
  const { values } = (await weightsOf(report.out)).find(({ linear }) => linear.id === name)!;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    assert.equal(at, Number(new BigInt64Array(offsets!.bytes.buffer)[row]));
    for (let column = 0; column < columns; column++) {
      const bit = (bitmask!.bytes[row * bitmask!.shape[1]! + (column >> 3)]! >> (column % 8)) & 1;
      assert.equal(values[row * columns + column], bit === 1 ? kept[at++] : 0);
    }
  }
  assert.equal(at, kept.length);
  const config = JSON.parse(readFileSync(join(report.out, '../config.json'), 'utf8')) as {
    quantization_config: { sparsity_config: { format: string } };
  };
  assert.equal(config.quantization_config.sparsity_config.format, 'sparse-bitmask');
});

test('an ONNX model is not stored as bitmaps, and says so', { skip: noGenerated }, async () => {
  await assert.rejects(pruned('bert-base/model.torchscript.onnx', { store: 'bitmap' }), /form of safetensors/);
});

test('matrices in fused operators are pruned by magnitude; methods that look at activations leave them, and say why', {
  skip: noGenerated,
}, async () => {
  const path = 'bert-base/model.ort-fused.onnx';
  const plain = await pruned(path, {});
  for (const { values } of await weightsOf(plain.out)) assert.ok(Math.abs(zeros(values) - values.length / 2) < 1);
  const { skipped } = await pruned(path, { by: 'wanda' });
  assert.match(skipped.find(({ target }) => target.endsWith('attention.output.dense'))!.reason, /operators are fused/);
});

test('text that is too short to refit on is told, and only the method itself is done', { skip: noGenerated }, async () => {
  const short = join(temporary, 'short.txt');
  writeFileSync(short, 'a cat\n');
  const recipe = { version: 1, steps: [{ pass: 'prune-weights', options: { by: 'sparsegpt' } }] } as const;
  const report = await compress({
    path: join(generated, 'bert-base/model.safetensors'),
    out: join(temporary, 'short', 'model.safetensors'),
    recipe,
    calibration: short,
  });
  assert.match(report.notes?.map(({ note }) => note).join() ?? '', /Nothing was refitted/);
  assert.ok(report.edits.every(({ target }) => !target.includes('LayerNorm')));
});
