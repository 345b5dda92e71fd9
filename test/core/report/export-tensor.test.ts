import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exportedTensor } from '../../../src/core/report/export-tensor.ts';
import { createSession } from '../../../src/core/session/session.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { fp32, noise, tensorOf } from './made.ts';

async function bytesOf(tensor: Tensor, kind: 'npy' | 'csv'): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const { chunks, byteLength } = exportedTensor(tensor, kind);
  for await (const { bytes } of chunks) parts.push(bytes);
  const all = Buffer.concat(parts);
  if (kind === 'npy') assert.equal(all.length, byteLength);
  return all;
}

/** What numpy.load reads: see numpy.lib.format. */
async function npy(tensor: Tensor) {
  const bytes = await bytesOf(tensor, 'npy');
  assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00');
  const start = 10 + bytes.readUInt16LE(8);
  assert.equal(start % 64, 0);
  const header = bytes.subarray(10, start).toString('latin1');
  const match = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([^)]*)\), \} *\n$/.exec(header)!;
  return { descr: match[1], shape: match[2], data: bytes.subarray(start) };
}

/** Lines of RFC 4180 without quotes. */
const csv = async (tensor: Tensor): Promise<string[][]> => {
  const text = (await bytesOf(tensor, 'csv')).toString('latin1');
  assert.ok(text === '' || text.endsWith('\r\n'));
  return text
    .split('\r\n')
    .slice(0, -1)
    .map(line => line.split(','));
};

test('.npy holds the very bytes of types that NumPy has', async () => {
  const values = noise(600_000);
  const found = await npy(fp32([2, 300, 1000], values));
  assert.deepEqual([found.descr, found.shape], ['<f4', '2, 300, 1000']);
  assert.ok(found.data.equals(Buffer.from(values.buffer)));
  const long = BigInt64Array.of(2n ** 53n + 1n, -1n);
  const integers = await npy(tensorOf('int64', [2], long));
  assert.deepEqual([integers.descr, integers.shape], ['<i8', '2,']);
  assert.deepEqual([integers.data.readBigInt64LE(0), integers.data.readBigInt64LE(8)], [...long]);
  assert.equal((await npy(fp32([], [1.5]))).shape, '');
  assert.equal((await npy(fp32([0, 3], []))).data.length, 0);
});

test('.npy widens what NumPy does not have: bf16 to fp32, int4 to int8, uint4 to uint8', async () => {
  const brain = await npy(tensorOf('bf16', [2], Uint16Array.of(0x3fc0, 0xff80)));
  assert.deepEqual([brain.descr, brain.data.readFloatLE(0), brain.data.readFloatLE(4)], ['<f4', 1.5, -Infinity]);
  const four = await npy(tensorOf('int4', [3], Uint8Array.of(0x8f, 0x07)));
  assert.deepEqual([four.descr, [...new Int8Array(four.data)]], ['|i1', [-1, -8, 7]]);
  const unsigned = await npy(tensorOf('uint4', [1, 3], Uint8Array.of(0x8f, 0x07)));
  assert.deepEqual([unsigned.descr, [...unsigned.data]], ['|u1', [15, 8, 7]]);
  assert.equal(exportedTensor(tensorOf('int4', [1], Uint8Array.of(1)), 'npy').widened, 'int8');
});

test('CSV reads back as the same elements, in rows of the last axis: NaN, infinities, -0, denormals, 2^53 + 1', async () => {
  const values = noise(300_000);
  values.set([NaN, Infinity, -Infinity, -0, 1e-45, 3.4e38, 0.1, 16777217]);
  const rows = await csv(fp32([10, 300, 100], values));
  assert.deepEqual([rows.length, rows[0]!.length], [3000, 100]);
  const back = Float32Array.from(rows.flat(), Number);
  back.forEach((value, i) => {
    if (!Object.is(value, values[i])) assert.fail(`element ${i}: ${rows.flat()[i]} for ${values[i]}`);
  });
  assert.equal(rows[0]![6], '0.1');
  assert.deepEqual(await csv(tensorOf('int64', [2, 1], BigInt64Array.of(2n ** 53n + 1n, -3n))), [['9007199254740993'], ['-3']]);
  assert.deepEqual(await csv(fp32([3], [1, 2, 3])), [['1', '2', '3']]);
  assert.deepEqual(await csv(fp32([], [1])), [['1']]);
  assert.deepEqual(await csv(fp32([0, 3], [])), []);
});

test('refused: text, and complex numbers as CSV', () => {
  assert.throws(() => exportedTensor(tensorOf('string', [1], new Uint8Array(0)), 'npy'), { code: 'unsupported' });
  assert.throws(() => exportedTensor(tensorOf('complex64', [1], new Float32Array(2)), 'csv'), { code: 'unsupported' });
});

const sample = join(import.meta.dirname, '../../../media/sample/model.onnx');
const tensor = 'm.bert.embeddings.position_embeddings.weight';
const session = createSession();
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headroom-export-tensor-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('a file that is there is replaced only when told to; the model itself never', async () => {
  const out = join(folder, 'table.npy');
  const { byteLength } = await session.exportTensor(sample, tensor, 'npy', out);
  assert.equal((await stat(out)).size, byteLength);
  await writeFile(out, 'mine');
  await assert.rejects(session.exportTensor(sample, tensor, 'npy', out), { code: 'output-exists' });
  assert.equal(await readFile(out, 'utf8'), 'mine');
  await session.exportTensor(sample, tensor, 'npy', out, { force: true });
  assert.equal((await stat(out)).size, byteLength);
  const before = (await stat(sample)).size;
  await assert.rejects(session.exportTensor(sample, tensor, 'npy', sample, { force: true }), { code: 'output-is-input' });
  assert.equal((await stat(sample)).size, before);
});

test('a cancelled export leaves nothing behind', async () => {
  const names = await readdir(folder);
  const controller = new AbortController();
  const options = { signal: controller.signal, progress: () => controller.abort() };
  await assert.rejects(session.exportTensor(sample, tensor, 'csv', join(folder, 'x.csv'), options), { code: 'cancelled' });
  assert.deepEqual(await readdir(folder), names);
});
