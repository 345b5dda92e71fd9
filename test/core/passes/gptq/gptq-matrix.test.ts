import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gptqMatrix } from '../../../../src/core/passes/quantize/gptq/gptq-matrix.ts';
import { ridge } from '../../../../src/core/passes/refit/ridge.ts';

/** Numbers in [-1, 1), the same in the reference. */
function made(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const [out, wide, tokens] = [8, 64, 400];
const weight = Float32Array.from(made(out * wide, 1));

/** Second moments of inputs that go together, with channels of different size. */
const hessian = (() => {
  const base = made(tokens * wide, 2);
  const before = (at: number, by: number) => base[at - (at % wide) + ((at + wide - by) % wide)]!;
  const inputs = base.map((value, at) => (value + 0.8 * before(at, 1) + 0.5 * before(at, 7)) * (1 + ((at % wide) % 5)));
  const sums = new Float64Array(wide * wide);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < wide; j++) sums[i * wide + j]! += (inputs[t * wide + i]! * inputs[t * wide + j]!) / tokens;
  return sums;
})();

/** What a change of the weights does to the outputs: the sum of d H d^T. */
function loss(after: Float32Array): number {
  let sum = 0;
  for (let o = 0; o < out; o++)
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < wide; j++)
        sum +=
          (weight[o * wide + i]! - after[o * wide + i]!) *
          hessian[i * wide + j]! *
          (weight[o * wide + j]! - after[o * wide + j]!);
  return sum;
}

// PyTorch 2.13, the authors' algorithm with activation order, static groups and a clip search: its loss, and that of rounding to nearest.
const references = [
  { bits: 4, group: 16, gptq: 2.4937, nearest: 4.238 },
  { bits: 3, group: 32, gptq: 11.5874, nearest: 22.0215 },
  { bits: 2, group: 16, gptq: 65.1434, nearest: 97.9045 },
];

for (const { bits, group, gptq, nearest } of references)
  test(`${bits} bits by ${group}: the outputs lose what they lose in PyTorch within 1 %, far less than by rounding to nearest`, async () => {
    const found = await gptqMatrix(weight, out, wide, hessian, { bits, group, symmetric: false });
    const lost = loss(found.weight_OI);
    assert.ok(Math.abs(lost / gptq - 1) < 0.01, `${lost}`);
    assert.ok(lost < 0.7 * nearest);
    found.level_OI.forEach((level, at) => {
      const place = Math.floor(at / wide) * (wide / group) + Math.floor((at % wide) / group);
      assert.ok(level < 2 ** bits);
      assert.equal(Math.fround((level - found.zero_OG[place]!) * found.scale_OG[place]!), found.weight_OI[at]);
    });
  });

for (const bits of [2, 3, 4])
  test(`${bits} bits as words of a checkpoint: symmetric scales with a sign lose less than without, and stand for what was rounded`, async () => {
    const form = { bits, group: 16, symmetric: true };
    const plain = await gptqMatrix(weight, out, wide, hessian, form);
    const signed = await gptqMatrix(weight, out, wide, hessian, { ...form, words: true });
    assert.ok(loss(signed.weight_OI) < loss(plain.weight_OI), `${loss(signed.weight_OI)} ${loss(plain.weight_OI)}`);
    assert.ok(signed.scale_OG.some(scale => scale < 0) && signed.scale_OG.some(scale => scale > 0));
    signed.level_OI.forEach((level, at) => {
      const scale = signed.scale_OG[Math.floor(at / 16)]!;
      assert.ok(level < 2 ** bits);
      assert.equal(Math.fround((level - 2 ** (bits - 1)) * scale) + 0, signed.weight_OI[at]! + 0);
    });
  });

test('inputs that are always 0 take no part, and a singular H is damped until it has a factor', async () => {
  const flat = hessian.map((value, at) => (at % wide === 5 || Math.floor(at / wide) === 5 ? 0 : value));
  const found = await gptqMatrix(weight, out, wide, flat, { bits: 4, group: 16, symmetric: true });
  assert.ok(found.weight_OI.every(Number.isFinite));
  assert.ok(found.zero_OG.every(zero => zero === 8));
  for (let o = 0; o < out; o++) assert.equal(found.weight_OI[o * wide + 5], 0);
  const ones = await gptqMatrix(weight, out, wide, new Float64Array(wide * wide).fill(1), {
    bits: 4,
    group: 16,
    symmetric: false,
  });
  assert.ok(ones.weight_OI.every(Number.isFinite));
});

test('a ridge of no strength finds the matrix that made the outputs, within 1e-5, and one of great strength stays where it was', () => {
  const cross = new Float64Array(wide * out);
  for (let i = 0; i < wide; i++)
    for (let o = 0; o < out; o++)
      for (let j = 0; j < wide; j++) cross[i * out + o]! += hessian[i * wide + j]! * weight[o * wide + j]!;
  const elsewhere = new Float32Array(out * wide).fill(0.25);
  const free = ridge(hessian, cross, elsewhere, out, wide, 1e-9)!;
  free.forEach((value, at) => {
    assert.ok(Math.abs(value - weight[at]!) < 1e-5);
  });
  const bound = ridge(hessian, cross, elsewhere, out, wide, 1e9)!;
  bound.forEach(value => {
    assert.ok(Math.abs(value - 0.25) < 1e-5);
  });
  const nothing = new Float64Array(wide * wide);
  assert.deepEqual(ridge(nothing, new Float64Array(wide * out), elsewhere, out, wide, 0.01), elsewhere);
  assert.equal(ridge(nothing.fill(Number.NaN), cross, elsewhere, out, wide, 0.01), undefined);
});
