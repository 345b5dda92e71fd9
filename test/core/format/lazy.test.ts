import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, test } from 'node:test';
import { CountingSource } from '../../../src/core/bytes/counting.ts';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { memoryFolder } from '../../../src/core/bytes/memory.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { closeModel } from '../../../src/core/format/stored.ts';
import { field, integer, join, node, varint } from './protobuf.ts';

const root = mkdtempSync(joinPath(tmpdir(), 'headroom-lazy-'));
after(() => rmSync(root, { recursive: true }));

/** Writes the runs of bytes, and leaves holes of the given lengths: large files that take no room. */
function sparseFile(name: string, runs: readonly (Uint8Array | number)[]): string {
  const path = joinPath(root, name);
  const file = openSync(path, 'w');
  let at = 0;
  for (const run of runs) {
    if (typeof run !== 'number') writeSync(file, run, 0, run.length, at);
    at += typeof run === 'number' ? run : run.length;
  }
  ftruncateSync(file, at);
  closeSync(file);
  return path;
}

async function opened(path: string) {
  const counting = new CountingSource(await openFileSource(path));
  const start = performance.now();
  const model = await openModel(counting, memoryFolder());
  const ms = performance.now() - start;
  await closeModel(model);
  return { model, counting, ms };
}

/** 12 layers of 16 tensors and a graph, as large as BERT-base. */
function baseSized(): (Uint8Array | number)[] {
  const layer = [
    768 * 768,
    768,
    768 * 768,
    768,
    768 * 768,
    768,
    768 * 768,
    768,
    768,
    768,
    768 * 3072,
    3072,
    768 * 3072,
    768,
    768,
    768,
  ];
  const counts = [30522 * 768, 512 * 768, ...Array.from({ length: 12 }, () => layer).flat()];
  const tensors = counts.map((count, i) => {
    const head = join(
      integer(1, count),
      integer(2, 1),
      field(8, `encoder.layer.${i}.weight`),
      varint(9 * 8 + 2),
      varint(4 * count),
    );
    return { before: join(varint(5 * 8 + 2), varint(head.length + 4 * count), head), length: 4 * count };
  });
  const nodes = join(
    ...Array.from({ length: 1000 }, (_, i) =>
      field(1, node('Add', [`x${i}`, `y${i}`], [`z${i}`], field(3, `/encoder/Add_${i}`))),
    ),
  );
  const length = nodes.length + tensors.reduce((sum, tensor) => sum + tensor.before.length + tensor.length, 0);
  return [
    join(integer(1, 8), varint(7 * 8 + 2), varint(length)),
    nodes,
    ...tensors.flatMap(({ before, length }) => [before, length]),
  ];
}

test('opening a BERT-base ONNX of 430 MB reads under 0.3 % of it, in under a second', async () => {
  const { model, counting, ms } = await opened(sparseFile('base.onnx', baseSized()));
  assert.ok(counting.byteLength > 430e6);
  assert.equal(model.tensors.size, 194);
  assert.ok(counting.bytes < 0.003 * counting.byteLength, `${counting.bytes} of ${counting.byteLength} bytes`);
  assert.ok(ms < 1000, `${ms} ms`);
});

test('opening a safetensors file of 5 GB reads its header only, in under 0.3 s', async () => {
  const count = 12_500_000;
  const entries = Array.from({ length: 100 }, (_, i) => [
    `t${i}`,
    { dtype: 'F32', shape: [count], data_offsets: [i * count * 4, (i + 1) * count * 4] },
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const { model, counting, ms } = await opened(sparseFile('large.safetensors', [length, header, 100 * count * 4]));
  assert.equal(model.byteLength, 8 + header.length + 5e9);
  assert.ok(counting.bytes <= 64 + 8 + header.length, `${counting.bytes} bytes`);
  assert.ok(ms < 300, `${ms} ms`);
});

test('a tensor of 3 GB in an ONNX file is located, and its last bytes can be read', async () => {
  const bytes = 3 * 2 ** 30;
  const head = join(integer(1, bytes / 4), integer(2, 1), field(8, 'w'), varint(9 * 8 + 2), varint(bytes));
  const tensor = join(varint(5 * 8 + 2), varint(head.length + bytes), head);
  const path = sparseFile('huge.onnx', [
    join(integer(1, 8), varint(7 * 8 + 2), varint(tensor.length + bytes)),
    tensor,
    bytes - 4,
    Uint8Array.of(1, 2, 3, 4),
  ]);
  const source = await openFileSource(path);
  const model = await openModel(source, memoryFolder());
  assert.deepEqual(await model.tensors.get('w')!.bytes(bytes - 4), Uint8Array.of(1, 2, 3, 4));
  await closeModel(model);
});
