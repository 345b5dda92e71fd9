import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inverseCholeskyUpper, invertSpd } from '../../../../src/core/kernels/linear-algebra/spd.ts';
import { refitKept } from '../../../../src/core/passes/sparsity/least-squares.ts';
import { lowestOf, markLowest } from '../../../../src/core/passes/sparsity/lowest.ts';
import { reweighted, shrink } from '../../../../src/core/passes/sparsity/reweighted.ts';
import { type Share, zerosOf } from '../../../../src/core/passes/sparsity/share.ts';
import { sparseGpt } from '../../../../src/core/passes/sparsity/sparse-gpt.ts';

// O out, I in

const pause = async () => {};
const [out, wide] = [12, 140];
const half: Share = { pattern: 'unstructured', sparsity: 0.5 };
const shares: Share[] = [half, { pattern: '2:4', sparsity: 0.5 }, { pattern: '4:8', sparsity: 0.5 }];

let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
const weight_OI = Float32Array.from({ length: out * wide }, random);

/** Second moments of inputs that depend on each other. */
const second_II = (() => {
  const rows = 400;
  const x = Float64Array.from({ length: rows * wide }, random);
  for (let r = 0; r < rows; r++)
    for (let i = 1; i < wide; i++) x[r * wide + i]! += 0.8 * x[r * wide + i - 1]! + (i % 7 === 0 ? 2 * random() : 0);
  const found = new Float64Array(wide * wide);
  for (let i = 0; i < wide; i++)
    for (let j = 0; j < wide; j++)
      for (let r = 0; r < rows; r++) found[i * wide + j]! += (x[r * wide + i]! * x[r * wide + j]!) / rows;
  return found;
})();

/** (w - aim) H (w - aim)^T, summed over rows. */
function errorOf(found_OI: Float32Array): number {
  let sum = 0;
  for (let o = 0; o < out; o++)
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < wide; j++) {
        const [a, b] = [o * wide + i, o * wide + j];
        sum += (found_OI[a]! - weight_OI[a]!) * second_II[i * wide + j]! * (found_OI[b]! - weight_OI[b]!);
      }
  return sum;
}

const countOf = (marks: Uint8Array): number => marks.reduce((sum, mark) => sum + mark, 0);
const masked = (gone: Uint8Array) => weight_OI.map((value, at) => (gone[at] === 1 ? 0 : value));

test('the proximal operator of 0.3: 1 becomes 0.7, -0.2 becomes 0', () => {
  assert.equal(shrink(1, 0.3), 0.7);
  assert.equal(shrink(-0.2, 0.3), 0);
  assert.equal(shrink(-1, 0.25), -0.75);
});

test('the lowest are marked, as many as asked for, earlier ones first among equals', () => {
  const marks = new Uint8Array(6);
  markLowest(Float32Array.of(3, 1, 2, 1, 1, 0), 3, marks);
  assert.deepEqual([...marks], [0, 1, 0, 1, 0, 1]);
  assert.deepEqual(
    [...lowestOf(Float32Array.of(4, 1, 3, 2, 9, 9, 9, 9, 5), 1, 9, { pattern: '2:4', sparsity: 0.5 })],
    [0, 1, 0, 1, 1, 1, 0, 0, 0],
  );
  for (const byRow of [false, true])
    assert.equal(
      countOf(lowestOf(weight_OI.map(Math.abs), out, wide, { pattern: 'unstructured', sparsity: 0.37 }, byRow)),
      Math.round(0.37 * out * wide),
    );
});

for (const share of shares)
  test(`SparseGPT, ${share.pattern}: removes what it was to remove, and what stays is what the optimal brain surgeon makes of the same choice: 1e-3`, async () => {
    const upper = inverseCholeskyUpper(second_II, wide)!;
    const { weight_OI: found, gone_OI: gone } = await sparseGpt(weight_OI, out, wide, upper, share, pause);
    assert.equal(countOf(gone), zerosOf(out, wide, share));
    for (const [at, mark] of gone.entries()) assert.equal(mark === 1, found[at] === 0, `${at}`);
    // Column by column with the inverse itself, from which each column is eliminated when it is done.
    const inverse = invertSpd(second_II, wide)!;
    const expected = Float64Array.from(weight_OI);
    for (let c = 0; c < wide; c++) {
      const pivot = inverse[c * wide + c]!;
      for (let o = 0; o < out; o++) {
        if (gone[o * wide + c] === 0) continue;
        const change = expected[o * wide + c]! / pivot;
        for (let j = c; j < wide; j++) expected[o * wide + j]! -= change * inverse[c * wide + j]!;
      }
      const row = inverse.slice(c * wide, (c + 1) * wide);
      for (let i = c; i < wide; i++) for (let j = c; j < wide; j++) inverse[i * wide + j]! -= (row[i]! * row[j]!) / pivot;
    }
    for (const [at, value] of found.entries())
      assert.ok(Math.abs(value - expected[at]!) < 1e-3, `${at}: ${value} is not ${expected[at]}`);
    assert.ok(errorOf(found) < 0.7 * errorOf(masked(lowestOf(weight_OI.map(Math.abs), out, wide, share))));
  });

test('a refit leaves no slope among the weights that stay (1e-3 of what it was) and touches none that went', async () => {
  const gone = lowestOf(weight_OI.map(Math.abs), out, wide, half);
  const found = masked(gone);
  const before = errorOf(found);
  const slope = (values: Float32Array, o: number, i: number) => {
    let sum = 0;
    for (let j = 0; j < wide; j++) sum += second_II[i * wide + j]! * (values[o * wide + j]! - weight_OI[o * wide + j]!);
    return Math.abs(sum);
  };
  const steepest = (values: Float32Array) =>
    Math.max(...Array.from(values.keys(), at => (gone[at] === 1 ? 0 : slope(values, Math.floor(at / wide), at % wide))));
  const steep = steepest(found);
  await refitKept(found, gone, weight_OI, out, wide, second_II, 80, pause);
  assert.ok(steepest(found) < 1e-3 * steep);
  assert.ok(errorOf(found) < before);
  for (const [at, mark] of gone.entries()) if (mark === 1) assert.equal(found[at], 0);
});

for (const share of shares)
  test(`reweighted, ${share.pattern}: removes what it was to remove, and loses less than magnitude once both are refitted`, async () => {
    const { weight_OI: found, gone_OI: gone } = await reweighted(weight_OI, out, wide, second_II, share, pause);
    assert.equal(countOf(gone), zerosOf(out, wide, share));
    const bySize = lowestOf(weight_OI.map(Math.abs), out, wide, share);
    const plain = masked(bySize);
    await refitKept(found, gone, weight_OI, out, wide, second_II, 60, pause);
    await refitKept(plain, bySize, weight_OI, out, wide, second_II, 60, pause);
    assert.ok(errorOf(found) < errorOf(plain), `${errorOf(found)} and ${errorOf(plain)}`);
  });
