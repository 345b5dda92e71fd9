import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statistics } from '../../../src/core/report/statistics.ts';
import { anatomyOf, fp32, linearOf, noise, tensorOf } from './made.ts';

const none = anatomyOf();

/** By sorting and two loops in f64. */
function simply(all: ArrayLike<number>) {
  const values = Float64Array.from(all).filter(Number.isFinite).sort();
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
  const at = (share: number): number => values[Math.ceil(share * values.length) - 1]!;
  const [min, max] = [values[0]!, values.at(-1)!];
  const counts = new Array<number>(128).fill(0);
  for (const value of values) counts[Math.min(127, Math.floor(((value - min) / (max - min)) * 128))]!++;
  return { min, max, mean, std, at, counts, zeros: values.filter(value => value === 0).length };
}

async function agrees(values: ArrayLike<number>, found: Awaited<ReturnType<typeof statistics>>, within = 1e-6) {
  assert.ok(found);
  const expected = simply(values);
  assert.deepEqual([found.min, found.max, found.zeros, found.count], [expected.min, expected.max, expected.zeros, values.length]);
  assert.ok(Math.abs(found.mean - expected.mean) <= within * (expected.std || 1e-300), `mean ${found.mean} ${expected.mean}`);
  assert.ok(Math.abs(found.std - expected.std) <= within * expected.std, `std ${found.std} ${expected.std}`);
  const bin = (expected.max - expected.min) / 1024;
  for (const { at, value } of found.percentiles)
    assert.ok(Math.abs(value - expected.at(at)) <= 1.001 * bin, `${at}: ${value} ${expected.at(at)}`);
  assert.deepEqual(found.histogram.counts, expected.counts);
}

test('statistics of 5 million weights, kept in memory or not, agree with sorting them within 1e-6 of the deviation, and bins are exact', async () => {
  const values = noise(5_000_000);
  for (const count of [1_000_003, 5_000_000]) {
    const reads: number[] = [];
    const part = values.subarray(0, count);
    await agrees(part, await statistics(tensorOf('fp32', [count], part, reads), none));
    const bytes = reads.reduce((sum, length) => sum + length, 0);
    assert.equal(bytes / (4 * count), count > 2 ** 22 ? 2 : 1, 'times the file is read');
  }
});

test('NaN, infinities and zeros of both signs are counted, and nothing else feels them', async () => {
  for (const count of [13, 100_003]) {
    const values = noise(count);
    for (let i = 2; i < count; i += 7) values[i] = [NaN, Infinity, -Infinity, 0, -0][i % 5]!;
    values.set([NaN, -0, 1, -1]);
    const found = (await statistics(fp32([count], values), none))!;
    await agrees(values, found);
    assert.equal(found.nonFinite, values.filter(value => !Number.isFinite(value)).length);
  }
});

test('a tensor of equal values has no deviation; one of nothing finite has no histogram; an empty one and text have no statistics', async () => {
  const equal = (await statistics(fp32([1000, 100], new Float32Array(100_000).fill(0.1)), none))!;
  assert.deepEqual([equal.min, equal.max, equal.mean, equal.std], [Math.fround(0.1), Math.fround(0.1), Math.fround(0.1), 0]);
  assert.equal(equal.histogram.counts[0], 100_000);
  const nothing = (await statistics(fp32([3], [NaN, Infinity, -Infinity]), none))!;
  assert.deepEqual([nothing.nonFinite, nothing.min, nothing.max, nothing.std], [3, 0, 0, 0]);
  assert.deepEqual([nothing.histogram.counts, nothing.percentiles], [[], []]);
  assert.equal(await statistics(fp32([0, 4], []), none), null);
  assert.equal(await statistics(tensorOf('string', [2], new Uint8Array(0)), none), null);
  const scalar = (await statistics(fp32([], [-2.5]), none))!;
  assert.deepEqual([scalar.count, scalar.min, scalar.mean, scalar.std], [1, -2.5, -2.5, 0]);
});

test('a mean far from zero, an outlier at the start, denormal and huge values keep their deviation within 1e-6', async () => {
  const weights = noise(40_000);
  for (const values of [
    weights.map(value => 1000 + value / 100),
    Float32Array.from([1e30, ...weights]),
    weights.map(value => value * 1e-41),
    weights.map(value => value * 2e38),
    weights.map(value => value * 1e-25),
  ])
    await agrees(values, await statistics(fp32([values.length], values), none), 2e-6);
});

test('fp64 neither overflows nor vanishes: deviations of 1e300 and 1e-300 within 1e-9', async () => {
  for (const scale of [1, 1e300, 1e-300]) {
    const values = Float64Array.from(noise(1000), value => value * scale);
    const found = (await statistics(tensorOf('fp64', [1000], values), none))!;
    const expected = simply(Float64Array.from(values, value => value / scale));
    assert.ok(Math.abs(found.std / scale - expected.std) < 1e-9 * expected.std, `${found.std}`);
    assert.ok(Math.abs(found.mean / scale - expected.mean) < 1e-9);
    assert.equal(
      found.histogram.counts.reduce((sum, count) => sum + count, 0),
      1000,
    );
  }
  const ends = (await statistics(tensorOf('fp64', [4], Float64Array.from([-1.7e308, 1.7e308, 0, 1e-200])), none))!;
  assert.deepEqual([ends.zeros, ends.min, ends.max], [1, -1.7e308, 1.7e308]);
  assert.ok(Math.abs(ends.std / 1e308 - 1.7 / Math.SQRT2) < 1e-9);
});

test('halves, brain floats, integers of 8, 4 and 64 bits have the statistics of their numbers', async () => {
  const eighths = Array.from({ length: 70_000 }, (_, i) => ((i * 7919) % 255) - 127);
  await agrees(eighths, await statistics(tensorOf('int8', [70_000], Int8Array.from(eighths)), none));
  await agrees(
    eighths.map(value => value + 127),
    await statistics(
      tensorOf(
        'uint8',
        [700, 100],
        Uint8Array.from(eighths, value => value + 127),
      ),
      none,
    ),
  );
  const brain = noise(70_000);
  const bits = new Uint16Array(new Uint32Array(brain.buffer).map(bit => bit >>> 16));
  const rounded = new Float32Array(Uint32Array.from(bits, bit => bit << 16).buffer);
  await agrees(rounded, await statistics(tensorOf('bf16', [70_000], bits), none));
  // 0x3c00 + i is 1 + i / 1024.
  const halves = Uint16Array.from({ length: 1000 }, (_, i) => 0x3c00 + i);
  await agrees(
    Array.from(halves, (_, i) => 1 + i / 1024),
    await statistics(tensorOf('fp16', [1000], halves), none),
  );
  const nibbles = Uint8Array.from({ length: 512 }, (_, i) => (i * 37) & 255);
  const signed = Array.from(nibbles).flatMap(byte => [byte & 15, byte >> 4].map(four => (four > 7 ? four - 16 : four)));
  await agrees(signed, await statistics(tensorOf('int4', [1024], nibbles), none));
  const long = BigInt64Array.from([2n ** 53n + 1n, -(2n ** 62n), 0n, 5n]);
  await agrees(Array.from(long, Number), await statistics(tensorOf('int64', [4], long), none), 1e-9);
});

test('a quantized matrix has the statistics of what it stands for', async () => {
  const weight = tensorOf('int8', [2, 3], Int8Array.from([1, 2, 3, -1, -2, -3]), undefined, 'w');
  const linear = linearOf(weight, 2, 3, { form: 'quantized', scale: fp32([2], [0.5, 2]) });
  const found = (await statistics(weight, { ...none, linears: [linear] }))!;
  assert.equal(found.acting, true);
  assert.deepEqual([found.min, found.max, found.mean], [-6, 1.5, -1.5]);
});

test('statistics can be cancelled', async () => {
  const values = noise(600_000);
  const controller = new AbortController();
  const pending = statistics(fp32([600_000], values), none, controller.signal, () => controller.abort());
  await assert.rejects(pending);
});
