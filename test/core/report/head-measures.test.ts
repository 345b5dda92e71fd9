import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Linear } from '../../../src/core/anatomy/anatomy.ts';
import { rowsOf } from '../../../src/core/anatomy/rows.ts';
import { headMeasures } from '../../../src/core/report/head-measures.ts';
import { anatomyOf, fp32, layerOf, linearOf, noise, tensorOf } from './made.ts';

const [heads, headDim, hidden] = [3, 2, 8];

/** A matrix [out, in] of noise with some zeros, stored either way. */
function made(name: string, out: number, wide: number, transposed = false): Linear & { at(row: number, column: number): number } {
  const values = noise(out * wide, name.charCodeAt(0)).map(value => (Math.abs(value) < 0.2 ? 0 : value));
  const shape = transposed ? [wide, out] : [out, wide];
  return {
    ...linearOf(fp32(shape, values, name), out, wide, { transposed }),
    at: (row, column) => values[transposed ? column * out + row : row * wide + column]!,
  };
}

const inner = heads * headDim;
const rest = [made('up', 4, hidden), made('down', hidden, 4)] as const;

function simply(parts: readonly ReturnType<typeof made>[]) {
  return Array.from({ length: heads }, (_, head) => {
    const weights: number[] = [];
    for (const { out, in: wide, at, id } of parts)
      for (let r = 0; r < out; r++)
        for (let c = 0; c < wide; c++) if (Math.floor((id === 'o' ? c : r) / headDim) === head) weights.push(at(r, c));
    const zeros = weights.filter(weight => weight === 0).length / weights.length;
    return { norm: Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0)), zeros };
  });
}

for (const transposed of [false, true])
  test(`norms within 1e-9 and shares of zeros of each head, weights stored ${transposed ? '[in, out]' : '[out, in]'}`, async () => {
    const parts = ['q', 'k', 'v'].map(name => made(name, inner, hidden, transposed)).concat(made('o', hidden, inner, transposed));
    const found = await headMeasures(anatomyOf(layerOf(heads, headDim, [parts[0]!, parts[1]!, parts[2]!, parts[3]!, ...rest])));
    const expected = simply(parts);
    assert.equal(found.length, heads);
    for (const { layer, head, norm, zeros } of found) {
      assert.equal(layer, 0);
      assert.ok(Math.abs(norm / expected[head]!.norm - 1) < 1e-9);
      assert.equal(zeros, expected[head]!.zeros);
    }
  });

test('a fused query-key-value gives each head its rows, one third behind the other or by head', async () => {
  const whole = made('w', 3 * inner, hidden);
  const output = made('o', hidden, inner);
  const thirds = [0, 1, 2].map(part => [[part * inner, (part + 1) * inner]] as const);
  const byHead = [0, 1, 2].map(part =>
    Array.from({ length: heads }, (_, head) => [(3 * head + part) * headDim, (3 * head + part + 1) * headDim] as const),
  );
  for (const runs of [thirds, byHead]) {
    const parts = runs.map((run, part) => {
      const rows = run.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i));
      return { ...rowsOf('qkv'[part]!, whole, run), at: (r: number, c: number) => whole.at(rows[r]!, c) };
    });
    const found = await headMeasures(anatomyOf(layerOf(heads, headDim, [parts[0]!, parts[1]!, parts[2]!, output, ...rest])));
    simply([...parts, output]).forEach(({ norm, zeros }, head) => {
      assert.ok(Math.abs(found[head]!.norm / norm - 1) < 1e-9);
      assert.equal(found[head]!.zeros, zeros);
    });
  }
});

test('layers that share their numbers have the same measures; NaN is a weight without norm', async () => {
  const query = linearOf(fp32([inner, hidden], new Float32Array(inner * hidden).fill(NaN), 'q'), inner, hidden);
  const zero = (out: number, wide: number) => linearOf(fp32([out, wide], new Float32Array(out * wide), 'z'), out, wide);
  const layer = layerOf(heads, headDim, [query, zero(inner, hidden), zero(inner, hidden), zero(hidden, inner), ...rest]);
  const found = await headMeasures(anatomyOf(layer, { ...layer, index: 1 }));
  assert.deepEqual(
    found.map(({ layer, head, norm, zeros }) => [layer, head, norm, zeros]),
    [0, 1].flatMap(layer => [0, 1, 2].map(head => [layer, head, 0, 0.75])),
  );
});

test('left out: layers that do not split evenly, and those that cannot be multiplied out in full', async () => {
  const organs = ['q', 'k', 'v'].map(name => made(name, inner, hidden));
  const of = (key: Linear, many = heads, dim = headDim) =>
    headMeasures(anatomyOf(layerOf(many, dim, [organs[0]!, key, organs[2]!, made('o', hidden, inner), ...rest])));
  assert.equal((await of(organs[1]!)).length, heads);
  assert.deepEqual(await of(organs[1]!, 4, 2), []);
  assert.deepEqual(await of(organs[1]!, 0, 0), []);
  const integers = tensorOf('int8', [inner, hidden], new Int8Array(inner * hidden).fill(3), undefined, 'k');
  const quantized = linearOf(integers, inner, hidden, { form: 'quantized' });
  assert.deepEqual(await of(quantized), [], 'no scale');
  assert.deepEqual(await of({ ...quantized, scale: fp32([5], [1, 1, 1, 1, 1]) }), [], 'a scale that fits no axis');
  assert.equal((await of({ ...quantized, scale: fp32([], [0.5]) })).length, heads);
  const fused = rowsOf('k', made('w', 3 * inner, hidden, true), [[inner, 2 * inner]]);
  assert.deepEqual(await of(fused), [], 'columns of a fused matrix, which are not runs of rows');
});

test('head measures can be cancelled', async () => {
  const controller = new AbortController();
  controller.abort();
  const parts = ['q', 'k', 'v'].map(name => made(name, inner, hidden));
  const layer = layerOf(heads, headDim, [parts[0]!, parts[1]!, parts[2]!, made('o', hidden, inner), ...rest]);
  await assert.rejects(headMeasures(anatomyOf(layer), controller.signal), { code: 'cancelled' });
});
