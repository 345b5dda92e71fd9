import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contributions } from '../../../../src/core/passes/prune/choose/activation.ts';
import { subsets } from '../../../../src/core/passes/prune/choose/agreement.ts';
import { Elimination } from '../../../../src/core/passes/prune/choose/elimination.ts';
import { removalOrder } from '../../../../src/core/passes/prune/choose/order.ts';
import { byPosition } from '../../../../src/core/passes/prune/choose/position.ts';
import { spend } from '../../../../src/core/passes/prune/choose/spend.ts';
import { foldedMeans, ridge } from '../../../../src/core/passes/prune/repair/ridge.ts';
import { errorOf, madeFit } from './made.ts';

const nearly = (found: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${found} is not ${expected}`);

test('what a removal is said to cost is what the refit on the rest loses, to 1e-6: one by one, and of three together', async () => {
  const { fit, x, y } = madeFit(12, 5);
  const elimination = await Elimination.of(fit, 0);
  const error = (kept: readonly number[]) => {
    const { weight_KO, bias_O } = ridge(fit, kept, 0);
    return errorOf(x, y, kept, weight_KO, bias_O!);
  };
  let before = error(elimination.columns);
  for (const places of [[4], [0], [7, 2, 5]]) {
    const alone = elimination.costs();
    if (places.length === 1) nearly(alone[places[0]!]!, elimination.cost(places), 1e-12);
    const cost = await elimination.remove(places);
    const after = error(elimination.columns);
    nearly(cost, after - before, 1e-6);
    before = after;
  }
  assert.deepEqual(elimination.columns, [1, 2, 5, 6, 8, 10, 11]);
});

test('the first unit to go is the one whose loss after a refit is least, of all tried one after another', async () => {
  const { fit, x, y } = madeFit(12, 5, 300, 7);
  const losses = [0, 1, 2, 3].map(unit => {
    const kept = Array.from(fit.meanX_I, (_, i) => i).filter(i => Math.floor(i / 3) !== unit);
    const { weight_KO, bias_O } = ridge(fit, kept, 0);
    return errorOf(x, y, kept, weight_KO, bias_O!);
  });
  const { units, costs } = await removalOrder(fit, 3, 3, 0);
  assert.equal(units[0], losses.indexOf(Math.min(...losses)));
  assert.equal(new Set(units).size, 3);
  assert.ok(costs[0]! < costs[1]! && costs[1]! < costs[2]!);
});

test('an input that is a copy of another costs nothing to remove', async () => {
  const { fit } = madeFit(6, 3);
  const gram_II = Float64Array.from(fit.gram_II);
  const cross_IO = Float64Array.from(fit.cross_IO);
  for (let j = 0; j < 6; j++) gram_II[5 * 6 + j] = gram_II[j * 6 + 5] = fit.gram_II[2 * 6 + j]!;
  gram_II[35] = fit.gram_II[14]!;
  gram_II[2 * 6 + 5] = gram_II[5 * 6 + 2] = fit.gram_II[14]!;
  for (let o = 0; o < 3; o++) cross_IO[15 + o] = fit.cross_IO[6 + o]!;
  const costs = (await Elimination.of({ ...fit, gram_II, cross_IO }, 1e-7)).costs();
  const most = Math.max(...costs);
  assert.ok(costs[2]! < 1e-3 * most && costs[5]! < 1e-3 * most, `${costs}`);
  for (const other of [0, 1, 3, 4]) assert.ok(costs[other]! > 1e-2 * most, `${costs}`);
});

test('a budget is spent as the best of all ways to spend it, and no layer loses more than it can', () => {
  const costs = [[1, 4, 9], [2, 3, 20], [0.5]];
  for (let total = 0; total <= 7; total++) {
    let least = Infinity;
    for (let a = 0; a <= 3; a++)
      for (let b = 0; b <= 3; b++)
        for (let c = 0; c <= 1; c++)
          if (a + b + c === total)
            least = Math.min(
              least,
              [a, b, c].reduce((sum, count, layer) => sum + (count ? costs[layer]![count - 1]! : 0), 0),
            );
    const counts = spend(costs, total);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      total,
    );
    nearly(
      counts.reduce((sum, count, layer) => sum + (count ? costs[layer]![count - 1]! : 0), 0),
      least,
    );
  }
  assert.throws(() => spend(costs, 8), /8 units cannot go/);
});

test('what a unit contributes is what the output loses with it masked and its mean in the bias, to 1e-9', () => {
  const { fit, x, y } = madeFit(6, 4);
  const exact = x.map(row =>
    Array.from(fit.bias_O!, (bias, o) => row.reduce((sum, value, i) => sum + value * fit.weight_IO[i * 4 + o]!, bias)),
  );
  const meanY_O = Float64Array.from({ length: 4 }, (_, o) => exact.reduce((sum, row) => sum + row[o]!, 0) / exact.length);
  for (const [unit, score] of contributions({ ...fit, scale: 2 }, 2).entries()) {
    const kept = [0, 1, 2, 3, 4, 5].filter(i => Math.floor(i / 2) !== unit);
    const { weight_KO, bias_O } = foldedMeans({ ...fit, meanY_O }, kept);
    nearly(score, errorOf(x, exact, kept, weight_KO, bias_O!) / 2);
  }
  assert.ok(y.length > 0);
});

test('a damping without bound leaves the weights as they are and moves the bias only, to 1e-6', () => {
  const { fit } = madeFit(6, 4);
  const [held, folded] = [ridge(fit, [0, 2, 3], 1e9), foldedMeans(fit, [0, 2, 3])];
  for (const [i, value] of held.weight_KO.entries()) nearly(value, folded.weight_KO[i]!, 1e-6);
  for (const [i, value] of held.bias_O!.entries()) nearly(value, folded.bias_O![i]!, 1e-6);
});

test('layers by position: every other one from the last but one down, the last ones, the first ones', () => {
  assert.deepEqual(byPosition(12, 4, 'every-other'), [4, 6, 8, 10]);
  assert.deepEqual(byPosition(6, 1, 'every-other'), [4]);
  assert.deepEqual(byPosition(6, 4, 'every-other'), [0, 2, 3, 4]);
  assert.deepEqual(byPosition(12, 3, 'top'), [9, 10, 11]);
  assert.deepEqual(byPosition(12, 3, 'bottom'), [0, 1, 2]);
  for (let count = 1; count < 7; count++) assert.equal(new Set(byPosition(7, count, 'every-other')).size, count);
});

test('all subsets are there, each once', () => {
  assert.deepEqual(
    [...subsets(4, 2)],
    [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ],
  );
  assert.equal([...subsets(6, 3)].length, 20);
});
