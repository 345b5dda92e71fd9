import assert from 'node:assert/strict';
import { test } from 'node:test';

// The page's numbers are written by its locale, which it finds in the page: here there is no page, so English.
(globalThis as { document?: unknown }).document ??= { getElementById: () => null };
const numbers = await import('../../webview/numbers.ts');

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
const all = <T>(values: readonly T[], write: (value: T) => string): string[] => values.map(value => plain(write(value)));

test('bytes are powers of 1,000, with one decimal for MB and for KB under 10', () => {
  assert.deepEqual(
    all(
      [0, 768, 999, 1000, 1536, 9_949, 9_950, 589_824, 999_499, 999_500, 7_097_856, 90_868_376, 437_900_000, 5_240_000_000],
      numbers.bytesText,
    ),
    [
      '0 B',
      '768 B',
      '999 B',
      '1.0 KB',
      '1.5 KB',
      '9.9 KB',
      '10 KB',
      '590 KB',
      '999 KB',
      '1.0 MB',
      '7.1 MB',
      '90.9 MB',
      '437.9 MB',
      '5.24 GB',
    ],
  );
});

test('shares have two decimals, and what is too small to say is said to be', () => {
  assert.deepEqual(
    all([0.0781, 1, 0, 0.00004, 0.00006], part => numbers.share(part)),
    ['7.81 %', '100.00 %', '0.00 %', '<0.01 %', '0.01 %'],
  );
});

test('changes are signed with a true minus, zero has no sign, new is new', () => {
  assert.deepEqual(
    all([-67_400_000, 512, 0], change => numbers.text(numbers.changeBytes(change))),
    ['−67.4 MB', '+512 B', '0'],
  );
  assert.equal(plain(numbers.changeShare(90_868_376, 23_500_000)), '−74.1 %');
  assert.equal(numbers.changeShare(0, 5), 'new');
  assert.equal(numbers.changeShare(5, 5), '0');
  assert.equal(plain(numbers.changeShare(5, 0)), '−100.0 %');
  assert.equal(numbers.changeCount(-1_774_464), '−1,774,464');
});

test('a factor is not shown under 1.01', () => {
  assert.equal(numbers.factor(387, 100), '3.87');
  assert.equal(numbers.factor(1009, 1000), undefined);
  assert.equal(numbers.factor(5, 0), undefined);
});

test('a cosine is rounded down, so that 1 means equal', () => {
  assert.deepEqual([0.98796, 0.999949, 0.9999999, 1].map(numbers.cosine), ['0.987', '0.99994', '0.99999', '1']);
});

test('times change their unit', () => {
  assert.deepEqual(all([7.21, 480, 1_500, 18_000, 59_600, 130_000], numbers.timeText), [
    '7.2 ms',
    '480 ms',
    '1.5 s',
    '18 s',
    '1 min',
    '2 min 10 s',
  ]);
});

test('counts are grouped, shapes are not', () => {
  assert.equal(numbers.count(1_774_464), '1,774,464');
  assert.equal(numbers.shape([30522, 384]), '30522 × 384');
});

test('weights have three digits, powers of ten where those would not tell, and lose none before the point', () => {
  assert.deepEqual(
    all([-0, -0.42719, 0.08217, 1.4e-4, -9.996e-5, 1e-45, 12, -1536, 428634.28, 3.4e38, 123.456], value => numbers.real(value)),
    ['0', '−0.427', '0.0822', '1.4e−4', '−1e−4', '1e−45', '12', '−1,536', '428,634', '3.4e38', '123'],
  );
  assert.deepEqual(
    all([Number.NaN, Number.NEGATIVE_INFINITY], value => numbers.real(value)),
    ['NaN', '−∞'],
  );
  assert.equal(numbers.real(0.123456789, 4), '0.1235');
});
