import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Similarity, Spectrum } from '../../../src/core/report/redundancy.ts';
import { markdownOf, sorted, type TextColumn, tsvOf } from '../../../webview/layout/flat-table.ts';
import { lossOfSharing, pairsOf, sharingGroups, withGroup } from '../../../webview/layout/sharing.ts';
import {
  alikeOf,
  decadesOf,
  heightsOf,
  includeOf,
  labelRows,
  lineOf,
  multiplesOf,
  nearest,
  placeOf,
  rankTicks,
  thinShare,
} from '../../../webview/layout/spectrum-plot.ts';

const spectrum = (id: string, values: number[] = [10, 1, 0.1]): Spectrum => ({
  ...{ id, out: 4, in: values.length, values, ranks: values.map((_, at) => at + 1) },
  ...{ kept: values.map(() => 1), rank90: 1, rank95: 1, rank99: 1, breakEven: 1 },
});

test('matrices of layers stand in rows and columns, those outside layers behind them', () => {
  assert.deepEqual(placeOf('encoder.layer.11.attention.self.query'), { layer: 11, role: 'attention.self.query' });
  assert.equal(placeOf('layer1.0.downsample.0'), undefined);
  const ids = ['embeddings.word', 'encoder.layer.10.a', 'encoder.layer.2.a', 'encoder.layer.2.b', 'pooler.dense'];
  const { layers, roles, at, others } = multiplesOf(ids.map(id => spectrum(id)));
  assert.deepEqual(
    [layers, roles],
    [
      [2, 10],
      ['a', 'b'],
    ],
  );
  assert.equal(at(10, 'b'), undefined);
  assert.equal(at(2, 'b')!.id, 'encoder.layer.2.b');
  assert.deepEqual(
    others.map(({ id }) => id),
    ['embeddings.word', 'pooler.dense'],
  );
});

test('heights are shares of the largest singular value, or its powers of ten down to the smallest that is not rounding', () => {
  const falling = spectrum('a', [10, 1, 0.1, 1e-12]);
  assert.deepEqual(heightsOf(falling, false), [1, 0.1, 0.01, 1e-13]);
  assert.equal(decadesOf(falling), 2);
  const [first, second, third, last] = heightsOf(falling, true);
  assert.deepEqual([first, second, last], [1, 0.5, 0]);
  assert.ok(Math.abs(third!) < 1e-12);
  assert.deepEqual(heightsOf(spectrum('zero', [0, 0]), true), [0, 0]);
  assert.equal(lineOf(falling, [1, 0.5], 4, 80, 40, true), '0,40 20.0,0.0 40.0,20.0');
  assert.equal(nearest(falling, 2.6), 2);
  assert.equal(thinShare(spectrum('b', [1, 1, 1, 1]), 1), 0.5);
});

test('labels that would run into each other stand above, and ticks are round and end at the full rank', () => {
  assert.deepEqual(
    labelRows([10, 20, 60], () => 30),
    [0, 1, 0],
  );
  assert.deepEqual(rankTicks(384, 340), [0, 100, 200, 300, 384]);
  assert.deepEqual(rankTicks(2, 300), [0, 1, 2]);
});

const similarity = (cosines: number[], energies: number[]): Similarity => ({
  ...{ id: 's', labels: energies.map((_, at) => String(at)), size: energies.length },
  ...{ cosines, energies },
});

test('what sharing changes is what the mean does not hold: computed on vectors of two numbers', () => {
  // (3, 0), (0, 4), (3, 0)
  const three = similarity([1, 0, 1, 0, 1, 0, 1, 0, 1], [9, 16, 9]);
  assert.equal(lossOfSharing(three, [0, 2]), 0);
  // The mean (1.5, 2) is (1.5, 2) away from both: 12.5 of 25.
  assert.ok(Math.abs(lossOfSharing(three, [0, 1]) - Math.sqrt(0.5)) < 1e-12);
  assert.deepEqual(sharingGroups(three, 0.3), [[0, 2]]);
  assert.deepEqual(sharingGroups(three, 0.8), [[0, 1, 2]]);
  assert.deepEqual(pairsOf(three)[0], { a: 0, b: 2, cosine: 1 });
});

interface Row {
  readonly name: string;
  readonly size: number | undefined;
}
const columns: TextColumn<Row>[] = [
  { key: 'name', title: 'Name', value: ({ name }) => name, text: ({ name }) => name },
  { key: 'size', title: 'Size', numeric: true, value: ({ size }) => size, text: ({ size }) => String(size ?? '') },
  { key: 'bar', title: 'Bar', value: ({ size }) => size },
];
const rows: Row[] = [
  { name: 'layer 10', size: 3 },
  { name: '=layer 2\tx', size: undefined },
  { name: '|b|', size: 7 },
];

test('a flat table sorts numbers as numbers, leaves what is unknown last, and keeps the order of equal rows', () => {
  const by = (key: string, descending: boolean) => sorted(rows, columns, { key, descending }).map(row => rows.indexOf(row));
  assert.deepEqual(by('size', true), [2, 0, 1]);
  assert.deepEqual(by('size', false), [0, 2, 1]);
  assert.deepEqual(sorted(rows, columns, null), rows);
  assert.deepEqual(by('other', true), [0, 1, 2]);
});

test('copied cells stay cells: no tabs, no formulas, no markup; columns for the screen only are left out', () => {
  assert.equal(tsvOf(columns, rows), "Name\tSize\nlayer 10\t3\n'=layer 2 x\t\n|b|\t7\n");
  assert.equal(markdownOf(columns, rows.slice(2)), '| Name | Size |\n| --- | ---: |\n| \\|b\\| | 7 |\n');
});

test('a group takes its layers from the others, and one layer alone is no group', () => {
  assert.deepEqual(withGroup([[0, 1, 2]], 2, 3), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(
    withGroup(
      [
        [0, 1],
        [4, 5],
      ],
      3,
      1,
    ),
    [
      [1, 2, 3],
      [4, 5],
    ],
  );
});

test('all matrices of a kind are named by a pattern only where it names no others', () => {
  const spectra = [0, 1].flatMap(layer =>
    ['attention.self.query', 'attention.output.dense', 'output.dense'].map(role => spectrum(`encoder.layer.${layer}.${role}`)),
  );
  assert.deepEqual(alikeOf(spectra, spectra[0]!)?.ids, [
    'encoder.layer.0.attention.self.query',
    'encoder.layer.1.attention.self.query',
  ]);
  assert.equal(alikeOf(spectra, spectrum('pooler.dense')), undefined);
  assert.deepEqual(includeOf(spectra, 'attention.output.dense'), ['encoder.layer.*.attention.output.dense']);
  assert.deepEqual(includeOf(spectra, 'output.dense'), ['encoder.layer.0.output.dense', 'encoder.layer.1.output.dense']);
});
