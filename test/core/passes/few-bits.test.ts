import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float8 } from '../../../src/core/passes/quantize/as-float8.ts';
import { groupLevels } from '../../../src/core/passes/quantize/group-levels.ts';
import { halfScale } from '../../../src/core/passes/quantize/half-scale.ts';
import { packWords, unpackWords } from '../../../src/core/passes/quantize/words.ts';
import { smallFloatTable } from '../../../src/core/tensor/eighths.ts';
import { floatOfHalf } from '../../../src/core/tensor/halves.ts';

test('E4M3: every pattern comes back, halves go to the even neighbour, beyond 448 it is 448', () => {
  const table = smallFloatTable('fp8_e4m3fn')!;
  for (let pattern = 0; pattern < 256; pattern++)
    if (!Number.isNaN(table[pattern]!)) assert.equal(float8(table[pattern]!), pattern);
  for (let pattern = 0; pattern < 126; pattern++) {
    const between = (table[pattern]! + table[pattern + 1]!) / 2;
    assert.equal(float8(between), pattern + (pattern % 2));
    assert.equal(float8(-between), 128 + pattern + (pattern % 2));
  }
  assert.deepEqual([float8(1e9), float8(-449), float8(Number.NaN) & 0x7f], [0x7e, 0xfe, 0x7f]);
});

test('words of 2 to 8 bits unpack to what was packed, in as few words as there can be', () => {
  for (let bits = 2; bits <= 8; bits++) {
    const levels = Uint8Array.from({ length: 3 * 45 }, (_, i) => (i * 37 + 11) % 2 ** bits);
    const words = packWords(levels, 3, 45, bits);
    assert.equal(words.length, 3 * Math.ceil((45 * bits) / 32));
    assert.deepEqual(unpackWords(words, 3, 45, bits), levels);
  }
});

test('words are those of compressed-tensors 0.20, pack_to_int32: 3 bits cross the border of a word', () => {
  // torch.arange(14) % 8 - 4 as int8: pack_to_int32(…, 3)
  const levels = Uint8Array.from({ length: 14 }, (_, i) => i % 8);
  assert.deepEqual(
    [...packWords(levels, 1, 14, 3)].map(word => word | 0),
    [-1996831096, 710],
  );
});

const weights = Float32Array.from({ length: 4 * 64 }, (_, i) => Math.sin(i * 1.7) * (1 + (i >> 6)) + 0.3);

test('each weight is within half a step of its level, with and without zero points, at every width', () => {
  for (let bits = 2; bits <= 8; bits++)
    for (const symmetric of [false, true]) {
      const { level_RC, scale_RG, zero_RG } = groupLevels(weights, 4, 64, { bits, size: 32, symmetric, ratios: [1] });
      weights.forEach((weight, i) => {
        const group = Math.floor(i / 32);
        const acting = (level_RC[i]! - zero_RG[group]!) * scale_RG[group]!;
        // The ends of a range may lie half a step further out, where the zero point is rounded or one side has a level less.
        assert.ok(Math.abs(weight - acting) <= Math.abs(scale_RG[group]!) * (1 + 1e-5), `${bits} ${symmetric} ${i}`);
      });
    }
});

test('a searched range has no larger squared error than the whole one', () => {
  const error = (ratios: readonly number[]) => {
    const { level_RC, scale_RG, zero_RG } = groupLevels(weights, 4, 64, { bits: 3, size: 16, symmetric: false, ratios });
    return weights.reduce((sum, weight, i) => {
      const group = Math.floor(i / 16);
      return sum + (weight - (level_RC[i]! - zero_RG[group]!) * scale_RG[group]!) ** 2;
    }, 0);
  };
  assert.ok(error([1, 0.95, 0.9, 0.85, 0.8]) <= error([1]));
});

test('a symmetric group has its level more on the side of its largest weight: 4 levels of -1 to 2 and of 1 to -2 are exact', () => {
  const values = Float32Array.of(-1, 0, 1, 2, 1, 0, -1, -2);
  const shape = { bits: 2, size: 4, symmetric: true, ratios: [1] };
  const { level_RC, scale_RG, zero_RG } = groupLevels(values, 1, 8, shape);
  assert.deepEqual([...scale_RG, ...zero_RG], [-1, 1, 2, 2]);
  assert.deepEqual(
    values.map((_, i) => (level_RC[i]! - 2) * scale_RG[i >> 2]! + 0),
    values,
  );
});

test('zeros stay zeros, and NaN is refused', () => {
  const shape = { bits: 4, size: 8, symmetric: false, ratios: [1] };
  const { level_RC, zero_RG } = groupLevels(new Float32Array(8), 1, 8, shape);
  assert.ok(level_RC.every(level => level === zero_RG[0]));
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => groupLevels(new Float32Array(8).fill(bad, 3, 4), 1, 8, shape), RangeError);
});

test('scales that are stored as fp16 are numbers of fp16: every one of them stays, what lies between goes to the nearest', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [floatOfHalf(bits), floatOfHalf(bits + 1)];
    assert.equal(halfScale(low), low);
    assert.equal(halfScale(low + 0.49 * (high - low)), low);
    assert.equal(halfScale(low + 0.51 * (high - low)), high);
  }
  assert.equal(halfScale(1e9), 65504);
  const { scale_RG } = groupLevels(weights, 4, 64, { bits: 3, size: 16, symmetric: true, ratios: [1, 0.9], halves: true });
  assert.ok(scale_RG.every(scale => scale !== 0 && Math.abs(scale) === halfScale(Math.abs(scale))));
});
