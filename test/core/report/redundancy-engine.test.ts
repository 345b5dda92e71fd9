import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Linear, Table } from '../../../src/core/anatomy/anatomy.ts';
import { memoryFolder } from '../../../src/core/bytes/memory.ts';
import { eigenvalues } from '../../../src/core/kernels/eigenvalues.ts';
import { openGram } from '../../../src/core/kernels/gram.ts';
import { openSymmetric } from '../../../src/core/kernels/symmetric.ts';
import { plainSymmetric } from '../../../src/core/kernels/symmetric-plain.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { acting } from '../../../src/core/report/acting.ts';
import { paceOf } from '../../../src/core/report/redundancy/matrix.ts';
import { repeats } from '../../../src/core/report/redundancy/repeats.ts';
import { spectrumOf } from '../../../src/core/report/redundancy/spectrum.ts';
import { vocabularyOf } from '../../../src/core/report/redundancy/vocabulary.ts';
import { createSession } from '../../../src/core/session/session.ts';
import { tokenNames } from '../../../src/core/session/token-names.ts';

interface Reference {
  readonly matrices: readonly {
    readonly rows: number;
    readonly columns: number;
    readonly fall: number;
    readonly ranks: Readonly<Record<'90' | '95' | '99', number>>;
    readonly singularValues: readonly number[];
  }[];
}
const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'redundancy-lapack.json'), 'utf8')) as Reference;

/** The matrices of the reference: integers of a formula, scaled by column and rounded to f32. */
function formula(rows: number, columns: number, fall: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [r, c] = [Math.floor(at / columns), at % columns];
    const whole = ((r * 7919 + c * 104729 + r * c * 31 + (r * r + c * c) * 17) % 2003) - 1001;
    return whole / 1024 / (1 + fall * c);
  });
}

function linear(rows: number, columns: number, values: Float32Array): Linear {
  const weight = held('w', 'fp32', [rows, columns], values);
  return { id: 'l', weight, out: rows, in: columns, transposed: false, form: 'dense', nodes: [] };
}
const table = (rows: number, width: number, values: Float32Array): Table => ({
  ...{ id: 't', rows, width, form: 'dense', nodes: [] },
  weight: held('t', 'fp32', [rows, width], values),
});
const pace = paceOf(undefined);

/** Numbers between -1 and 1, the same at every run (Park and Miller's generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

for (const { rows, columns, fall, ranks, singularValues } of reference.matrices)
  for (const side of ['columns', 'rows'] as const)
    test(`singular values of ${rows} x ${columns} by its ${side} are LAPACK’s within 1e-7 of the largest, ranks the same`, async () => {
      const organ = linear(rows, columns, formula(rows, columns, fall));
      const matrix = (await acting(organ))!;
      const found = await spectrumOf(organ, matrix, openGram(Math.max(rows, columns)), pace, { side });
      assert.ok('values' in found);
      assert.equal(found.values.length, singularValues.length);
      for (const [at, value] of singularValues.entries())
        assert.ok(Math.abs(found.values[at]! - value) < 1e-7 * singularValues[0]!, `${at}: ${found.values[at]} is not ${value}`);
      assert.deepEqual([found.rank90, found.rank95, found.rank99], [ranks['90'], ranks['95'], ranks['99']]);
      const energy = singularValues.reduce((sum, value) => sum + value * value, 0);
      let sum = 0;
      for (const [at, value] of singularValues.entries()) {
        sum += value * value;
        assert.ok(Math.abs(found.kept[at]! - sum / energy) < 1e-12);
      }
    });

test('of a long spectrum at most 260 points are kept, those of 90, 95 and 99 % and of the break-even rank among them', async () => {
  const [rows, columns] = [700, 600];
  const next = numbers(3);
  const organ = linear(rows, columns, Float32Array.from({ length: rows * columns }, next));
  const found = await spectrumOf(organ, (await acting(organ))!, openGram(columns), pace);
  assert.ok('values' in found);
  const { ranks, kept, values, rank90, rank95, rank99, breakEven } = found;
  assert.ok(ranks.length > 250 && ranks.length <= 260 && values.length === ranks.length && kept.length === ranks.length);
  assert.deepEqual([ranks[0], ranks.at(-1), kept.at(-1)], [1, columns, 1]);
  for (const rank of [rank90, rank95, rank99, breakEven]) assert.ok(ranks.includes(rank), `${rank}`);
  const at = ranks.indexOf(rank90);
  assert.ok(kept[at]! >= 0.9 && kept[at - 1]! < 0.9);
});

test('the kernels of symmetric matrices agree with their plain twins within 1e-12, at a size that is no multiple of four', async () => {
  const next = numbers(11);
  const [size, strips, depth] = [28, 7, 13];
  const sides = [plainSymmetric(4096), openSymmetric(4096)];
  const start = Float64Array.from({ length: 4096 }, next);
  const [gram, vector, other] = [1000, 2000, 2100];
  for (const { memory, kernels } of sides) {
    memory.set(start);
    kernels.addGram(0, depth, strips, gram, size);
    kernels.symmetricProduct(gram, size, 1, size - 1, vector, other);
    kernels.rankTwoUpdate(gram, size, 3, size, vector, other);
  }
  const [plain, fast] = sides.map(({ memory }) => memory);
  assert.notEqual(Buffer.compare(Buffer.from(plain!.buffer), Buffer.from(start.buffer)), 0);
  for (const [at, value] of plain!.entries())
    assert.ok(Math.abs(value - fast![at]!) < 1e-12 * Math.max(1, Math.abs(value)), `${at}`);
});

test('eigenvalues of a matrix with known ones are found within 1e-12, repeated and zero ones too', async () => {
  // Columns 3, 3, 1 and 0 long, at right angles: their Gram matrix has the squares.
  const gram = openGram(4);
  gram.start(4);
  gram.add(Float32Array.from([3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0]), 3, 1, 4);
  const found = await eigenvalues(gram, async () => {});
  for (const [at, value] of [9, 9, 1, 0].entries()) assert.ok(Math.abs(found[at]! - value) < 1e-12);
});

test('a copy, a nearly equal tensor and a turned copy are found, and a tensor of the same shape that is none of them is not', async () => {
  const next = numbers(5);
  const values = Float32Array.from({ length: 64 * 32 }, next);
  const f32 = (name: string, of: Float32Array, shape = [64, 32]) => held(name, 'fp32', shape, of);
  const tensors = [
    f32('first', values),
    f32('copy', values.slice()),
    f32(
      'near',
      values.map(value => value + next() / 100),
    ),
    f32('other', Float32Array.from({ length: values.length }, next)),
    f32('turned', values.slice(), [32, 64]),
    f32('small', values.slice(0, 8), [8]),
  ];
  const found = await repeats(tensors, new Map([['turned', 'first']]), pace);
  assert.deepEqual(found.map(({ tensor, of }) => `${tensor} ${of}`).sort(), ['copy first', 'near first', 'turned first']);
  const { cosine } = found.find(({ tensor }) => tensor === 'near')!;
  assert.ok(cosine > 0.9999 && cosine < 1);
  assert.equal(found.find(({ tensor }) => tensor === 'copy')!.cosine, 1);
});

/** Rows round one mean, as those of trained word tables lie. */
function words(rows: number, width: number): { values: Float32Array; row(at: number): Float32Array; next: () => number } {
  const next = numbers(17);
  const mean = Float32Array.from({ length: width }, next);
  const values = Float32Array.from({ length: rows * width }, (_, at) => mean[at % width]! + 1.5 * next());
  return { values, next, row: at => values.subarray(at * width, (at + 1) * width) };
}

test('rows of a word table that are equal, constant or zero are unused; rows planted near others are found with their groups', async () => {
  const [rows, width] = [4000, 96];
  const { values, row, next } = words(rows, width);
  const near = (at: number, of: number, apart: number): void =>
    row(at).set(row(of).map((value, i) => value + apart * value * (i % 2 ? 1 : -1) + (apart * next()) / 10));
  row(10).fill(0);
  row(11).fill(0.25);
  row(3999).set(row(1234));
  for (const at of [200, 201, 202, 203]) near(at, 100, 0.03);
  near(3000, 7, 0.05);
  // Near what is unused: not said twice.
  const found = (await vocabularyOf(table(rows, width, values), pace))!;
  assert.deepEqual([found.unused, found.examples], [4, [10, 11, 1234, 3999]]);
  assert.equal(found.byteLength, 4 * width * 4);
  const groups = found.near!.groups.map(({ rows }) => rows);
  assert.deepEqual(groups, [
    [100, 200, 201, 202, 203],
    [7, 3000],
  ]);
  assert.deepEqual([found.near!.rows, found.near!.byteLength], [5, 5 * width * 4]);
  assert.ok(found.near!.groups.every(({ cosine }) => cosine >= 0.99 && cosine < 1));
});

test('of 300 pairs of rows with a cosine of 0.998 at least 290 are found, and nothing else', async () => {
  const [rows, width] = [6000, 128];
  const { values, row, next } = words(rows, width);
  const planted = new Map<number, number>();
  for (let pair = 0; pair < 300; pair++) {
    const [at, of] = [3000 + pair * 7, pair * 9];
    row(at).set(row(of).map(value => value + 0.1 * next()));
    planted.set(at, of);
  }
  const near = (await vocabularyOf(table(rows, width, values), pace))!.near!;
  assert.ok(near.rows >= 290 && near.rows <= 300, `${near.rows}`);
  for (const { rows: group } of near.groups) assert.equal(planted.get(group[1]!), group[0]);
});

test('of a table whose rows are all nearly the mean row, all but the first are near another', async () => {
  const [rows, width] = [3000, 64];
  const next = numbers(23);
  const one = Float32Array.from({ length: width }, next);
  const values = Float32Array.from({ length: rows * width }, (_, at) => one[at % width]! + next() / 1000);
  const near = (await vocabularyOf(table(rows, width, values), pace))!.near!;
  assert.equal(near.rows, rows - 1);
  assert.equal(near.groups[0]!.count, rows);
});

test('cancelled in the middle, the analysis stops with “cancelled” and says nothing more', async () => {
  const abort = new AbortController();
  let after = 0;
  const progress = ({ fraction = 0 }): void => {
    if (abort.signal.aborted) after += 1;
    if (fraction > 0.3) abort.abort();
  };
  const sample = join(import.meta.dirname, '../../../media/sample/model.onnx');
  await assert.rejects(createSession().redundancy(sample, { signal: abort.signal, progress }), { code: 'cancelled' });
  assert.ok(abort.signal.aborted);
  assert.ok(after <= 2, `${after} steps after the cancel`);
});

test('progress never falls, and ends at 1', async () => {
  const fractions: number[] = [];
  const sample = join(import.meta.dirname, '../../../media/sample/model.onnx');
  const found = await createSession().redundancy(sample, { progress: ({ fraction }) => void fractions.push(fraction ?? 0) });
  assert.ok(fractions.every((fraction, at) => at === 0 || fraction >= fractions[at - 1]!));
  assert.ok(fractions.at(-1)! > 0.98, `${fractions.at(-1)}`);
  assert.equal(found.layerMatrices!.length, 6);
  for (const { energies, size } of found.layerMatrices!) assert.equal(energies!.length, size);
});

test('rows are named by tokenizer.json, of words or of pieces with scores, else by vocab.txt; a damaged one names none', async () => {
  const folder = (files: Record<string, string>) =>
    memoryFolder(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)] as const));
  const named = async (files: Record<string, string>) => [...(await tokenNames(folder(files), [1, 2, 9]))];
  const words = JSON.stringify({ model: { vocab: { a: 0, b: 1, c: 2 } }, added_tokens: [{ id: 9, content: '<mask>' }] });
  assert.deepEqual(await named({ 'tokenizer.json': words, 'vocab.txt': 'x\ny\nz\n' }), [
    [1, 'b'],
    [2, 'c'],
    [9, '<mask>'],
  ]);
  const pieces = JSON.stringify({
    model: {
      vocab: [
        ['<s>', 0],
        ['▁the', -3.1],
      ],
    },
  });
  assert.deepEqual(await named({ 'tokenizer.json': pieces }), [[1, '▁the']]);
  assert.deepEqual(await named({ 'vocab.txt': 'x\r\ny\r\nz' }), [
    [1, 'y'],
    [2, 'z'],
  ]);
  for (const damaged of ['{', 'null', '{"model":{"vocab":[1,null]}}', '{"model":7,"added_tokens":{}}'])
    assert.deepEqual(await named({ 'tokenizer.json': damaged }), []);
  assert.deepEqual(await named({}), []);
});
