import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockRun, type BlockShape, openBlocks } from '../../../src/core/kernels/blocks.ts';
import { plainBlocks } from '../../../src/core/kernels/blocks-plain.ts';

function numbers(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % 61 === 0 ? 0 : (state / 2 ** 31 - 1) * (state % 13 === 0 ? 3 : 1);
  });
}

const runs = (channels: number, length: number, size: number): BlockRun[] => {
  const common = { channels, length, blocks: Math.ceil(length / size), firstBlock: 0 };
  return [
    { ...common, channelStride: length, elementStride: 1 },
    { ...common, channelStride: 1, elementStride: channels },
  ];
};

function rounded(shape: BlockShape, run: BlockRun, values: Float32Array) {
  const memory = openBlocks(shape, values.length, run.channels * run.blocks);
  memory.values.set(values);
  memory.quantize(run);
  return memory;
}

for (const bits of [2, 3, 4, 8])
  test(`blocks of ${bits} bits: SIMD gives the bits that the plain loops give`, () => {
    for (const symmetric of [false, true])
      for (const [channels, length, size] of [
        [1, 16, 16],
        [5, 37, 16],
        [7, 64, 32],
        [33, 200, 64],
        [2, 300, 256],
      ] as const)
        for (const ratios of [[1], [1, 0.9, 0.8, 0.5]])
          for (const run of runs(channels, length, size)) {
            const shape = { bits, size, symmetric, ratios };
            const values = numbers(channels * length, channels);
            const found = rounded(shape, run, values);
            const { packed, scales, zeros } = found;
            const plain = {
              values,
              packed: new Uint8Array(packed.length),
              scales: new Float32Array(scales.length),
              zeros: new Uint8Array(zeros.length),
            };
            plainBlocks(shape, run, plain);
            assert.deepEqual(scales.slice(), plain.scales);
            assert.deepEqual(zeros.slice(), plain.zeros);
            assert.deepEqual(packed.slice(), plain.packed);
          }
  });

test('a weight is at most half a step from what its level stands for where the whole range is kept', () => {
  const [channels, length, size] = [6, 96, 32];
  const values = numbers(channels * length, 7);
  for (const run of runs(channels, length, size)) {
    const { packed, scales, zeros } = rounded({ bits: 4, size, symmetric: false, ratios: [1] }, run, values);
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < length; i++) {
        const block = c * 3 + Math.floor(i / size);
        const level = (packed[(c * length + i) >> 1]! >> (4 * (i % 2))) & 15;
        const value = values[c * run.channelStride + i * run.elementStride]!;
        // The zero point is rounded too: at an end of the range up to half a step more.
        assert.ok(Math.abs((level - zeros[block]!) * scales[block]! - value) <= 1.001 * scales[block]!);
      }
  }
});

test('a searched range never has a larger squared error than the whole one, and zeros stay zeros', () => {
  const [channels, length, size] = [16, 128, 64];
  const values = numbers(channels * length, 3).map((value, i) => (i < length ? 0 : value ** 3));
  const [run] = runs(channels, length, size);
  const errorWith = (ratios: number[]) => {
    const { packed, scales, zeros } = rounded({ bits: 4, size, symmetric: true, ratios }, run!, values);
    const after = values.map((_, i) => {
      const block = Math.floor(i / size);
      return (((packed[i >> 1]! >> (4 * (i % 2))) & 15) - zeros[block]!) * scales[block]!;
    });
    assert.ok(after.subarray(0, length).every(value => value === 0));
    return after.reduce((sum, value, i) => sum + (value - values[i]!) ** 2, 0);
  };
  assert.ok(errorWith([1, 0.95, 0.9, 0.85, 0.8]) < errorWith([1]));
});

test('what is not finite shows in the scale', () => {
  for (const wrong of [Number.NaN, Infinity, -Infinity])
    for (const run of runs(4, 32, 16)) {
      const values = numbers(128, 1);
      values[37] = wrong;
      const { scales } = rounded({ bits: 4, size: 16, symmetric: false, ratios: [1, 0.9] }, run, values);
      assert.equal(scales.filter(scale => !Number.isFinite(scale)).length, 1);
    }
});
