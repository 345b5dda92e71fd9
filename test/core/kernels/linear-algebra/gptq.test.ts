import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gptqBlock } from '../../../../src/core/kernels/linear-algebra/gptq.ts';
import { scaleOf } from '../../../../src/core/kernels/linear-algebra/group-scale.ts';
import { inverseCholeskyUpper } from '../../../../src/core/kernels/linear-algebra/spd.ts';
import { gptqLevels, gptqScales, gptqZeros, made, madeSpd } from './reference.ts';

const unsigned = { low: 0, high: 15, symmetric: false, ratios: [1] };
const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
type Result = Awaited<ReturnType<typeof gptqBlock>>;

/** The weights that levels stand for. */
function standFor({ level_OI, scale_OG, zero_OG }: Result, wide: number, group: number): Float64Array {
  const groups = Math.ceil(wide / group);
  return Float64Array.from(level_OI, (level, at) => {
    const place = Math.floor(at / wide) * groups + Math.floor((at % wide) / group);
    return (level - zero_OG[place]!) * scale_OG[place]!;
  });
}

/** The squared error of the outputs: the sum of d H d^T over rows. */
function outputError(weights: Float32Array, after: Float64Array, H: Float64Array, out: number, wide: number): number {
  let sum = 0;
  for (let r = 0; r < out; r++)
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < wide; j++) {
        const [a, b] = [r * wide + i, r * wide + j];
        sum += (weights[a]! - after[a]!) * H[i * wide + j]! * (weights[b]! - after[b]!);
      }
  return sum;
}

test('levels, scales and zero points are those of the paper’s algorithm 1 in numpy', async () => {
  const upper = inverseCholeskyUpper(madeSpd(24, 16, 0.5), 16)!;
  const found = await gptqBlock(Float32Array.from(made(5, 16)), 5, 16, upper, { ...unsigned, group: 4 });
  assert.deepEqual([...found.level_OI], gptqLevels.flat());
  assert.deepEqual([...found.zero_OG], gptqZeros.flat());
  found.scale_OG.forEach((scale, i) => {
    assert.ok(Math.abs(scale - gptqScales.flat()[i]!) < 1e-6);
  });
});

for (const [out, wide, group] of [
  [5, 300, 32],
  [3, 261, 0],
  [4, 256, 128],
  [1, 130, 20],
] as const)
  test(`${out} x ${wide} in groups of ${group}: the loss is the squared error of the outputs within 1e-3, and less than rounding loses`, async () => {
    const H = madeSpd(wide + 20, wide, 5);
    const weights = Float32Array.from(made(out, wide));
    const upper = inverseCholeskyUpper(H, wide)!;
    const options = { ...unsigned, group };
    const found = await gptqBlock(weights, out, wide, upper, options);
    const error = outputError(weights, standFor(found, wide, group || wide), H, out, wide);
    assert.ok(Math.abs(found.loss / error - 1) < 1e-3, `${found.loss}, ${error}`);
    const rounded = await gptqBlock(weights, out, wide, identity(wide), options);
    assert.ok(error < outputError(weights, standFor(rounded, wide, group || wide), H, out, wide));
  });

test('without correlations it is rounding to nearest: signed levels, symmetric, zero point 0', async () => {
  const weights = Float32Array.from(made(3, 40));
  const found = await gptqBlock(weights, 3, 40, identity(40), { low: -7, high: 7, group: 8, symmetric: true, ratios: [1] });
  assert.ok(found.level_OI instanceof Int8Array);
  weights.forEach((weight, at) => {
    const scale = found.scale_OG[Math.floor(at / 8)]!;
    assert.ok(Math.abs(weight - found.level_OI[at]! * scale) <= scale / 2 + 1e-6);
  });
  assert.ok(found.zero_OG.every(zero => zero === 0));
});

test('given scales are used as they are; a group of zeros has the scale 0 and its zero point', async () => {
  const given = { scale_OG: new Float32Array(4).fill(0.25), zero_OG: new Float32Array(4).fill(8) };
  const found = await gptqBlock(Float32Array.from(made(2, 16)), 2, 16, identity(16), { ...unsigned, group: 8, given });
  assert.deepEqual([found.scale_OG, found.zero_OG], [given.scale_OG, given.zero_OG]);
  const zeros = await gptqBlock(new Float32Array(16), 2, 8, identity(8), { ...unsigned, group: 8 });
  assert.deepEqual([new Set(zeros.level_OI), new Set(zeros.scale_OG), zeros.loss], [new Set(zeros.zero_OG), new Set([0]), 0]);
});

test('a searched scale has at most the squared error of the whole range, and less where two weights are far out and do not matter', () => {
  const values = Float32Array.from([...made(1, 30), 8, -8]);
  const ratios = Array.from({ length: 80 }, (_, i) => 1 - i / 100);
  const importance = new Float64Array(32).fill(1);
  importance.fill(1e-6, 30);
  const error = ({ scale, zero }: { scale: number; zero: number }): number =>
    values.reduce((sum, value, i) => {
      const level = Math.max(0, Math.min(15, Math.round(value / scale) + zero));
      return sum + importance[i]! * (value - (level - zero) * scale) ** 2;
    }, 0);
  const [whole, searched] = [[1], ratios].map(tried => scaleOf(values, importance, { ...unsigned, ratios: tried }));
  assert.ok(error(searched!) < 0.5 * error(whole!));
  importance.fill(1);
  assert.ok(error(scaleOf(values, importance, { ...unsigned, ratios })) <= error(whole!));
});
