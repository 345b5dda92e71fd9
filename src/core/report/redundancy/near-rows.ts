import type { Table } from '../../anatomy/anatomy.ts';
import type { NearRows } from '../redundancy.ts';
import { matrixOf, type Pace, READ, runsOf } from './matrix.ts';

// V rows, C columns. A row's signature is 128 bits: the signs of 128 random projections of the row less the mean row.

/** Cosine from which two rows are nearly the same: they differ by a seventh of their length at most. */
export const NEAR_ROW = 0.99;

const BITS = 128;
const WORDS = BITS / 32;
const TABLES = 8;
/** Bits that differ in signatures of rows that are compared value by value. Rows with a cosine of 0.99 differ in some 9, unlike ones in 64 ± 6. */
const MOST_APART = 28;
/** Rows of one bucket that a row is held against, and rows it is then compared with: what bounds the time, whatever the table is. */
const MOST_IN_BUCKET = 256;
const MOST_CANDIDATES = 4;
/** Values of rows that are held for comparing: 16 MiB of f32. */
const MOST_HELD = 2 ** 22;
/** What signing a value takes, in readings of it: measured. */
const SIGNING = 3;
/** What finding nearly equal rows takes, in readings of the table: the mean row, the signatures, looking up. */
export const NEAR_READS = 1 + SIGNING + 1;
/** Rows looked up between two pauses. */
const STRIDE = 1024;
const MOST_GROUPS = 100;
const MOST_NAMED = 12;

/**
 * Rows of a table that are nearly the same as an earlier one. Candidates come from hashes of random projections (Charikar, Similarity
 * estimation techniques from rounding algorithms, 2002), in time that grows with the rows and not with their square; each is then
 * compared value by value, so that what is found is true. A pair may be missed: of pairs with a cosine of 0.999 fewer than one in a
 * thousand, of those with 0.99 some in a hundred.
 * skip   rows that are not looked at: those known to be unused
 */
export async function nearRows(table: Table, skip: Uint8Array, pace: Pace): Promise<NearRows> {
  const matrix = await matrixOf(table, pace.signal);
  if (!matrix) return { rows: 0, byteLength: 0, groups: [] };
  const { rows, columns } = matrix;
  const looks = await looksOf(matrix, table.id, skip, pace);
  const { of, held } = await candidatesOf(looks, rows, skip, Math.floor(MOST_HELD / columns), {
    ...pace,
    done: looked => pace.done(READ * columns * looked, table.id),
  });
  const near = of.size > 0 ? await compared(matrix, of, held, pace) : [];
  const bytesEach = (table.weight.byteLength + (table.scale?.byteLength ?? 0) + (table.zeroPoint?.byteLength ?? 0)) / rows;
  return { rows: near.length, byteLength: Math.round(bytesEach * near.length), groups: groupsOf(near) };
}

type Matrix = NonNullable<Awaited<ReturnType<typeof matrixOf>>>;

interface Looks {
  readonly signatures: Uint32Array;
  /** 1 for rows so near the mean row that they are near each other: what is left of them without it is noise, and so their signatures. */
  readonly usual: Uint8Array;
}

/** Within this angle of the mean row, rows are within twice the angle of each other: cos(2 a) = NEAR_ROW. */
const USUAL = Math.sqrt((1 + NEAR_ROW) / 2);

/** Two readings: the mean row, then the signs. */
async function looksOf(matrix: Matrix, what: string, skip: Uint8Array, pace: Pace): Promise<Looks> {
  const { rows, columns } = matrix;
  const mean_C = new Float64Array(columns);
  for await (const { first, last, values_RC } of runsOf(matrix, pace)) {
    for (let row = first, at = 0; row < last; row++)
      for (let column = 0; column < columns; column++, at++) mean_C[column] = mean_C[column]! + values_RC[at]! / rows;
    pace.done(READ * values_RC.length, what);
  }
  const { places, signs, each } = projections(columns);
  const signatures = new Uint32Array(rows * WORDS);
  const usual = new Uint8Array(rows);
  const sums = new Float64Array(BITS);
  for await (const { first, last, values_RC } of runsOf(matrix, pace)) {
    pace.done(SIGNING * READ * values_RC.length, what);
    for (let row = first; row < last; row++) {
      if (skip[row]) continue;
      sums.fill(0);
      const start = (row - first) * columns;
      usual[row] = cosineOf(values_RC.subarray(start, start + columns), mean_C) >= USUAL ? 1 : 0;
      for (let column = 0; column < columns; column++) {
        const value = values_RC[start + column]! - mean_C[column]!;
        for (let at = column * each; at < (column + 1) * each; at++) {
          const place = places[at]!;
          sums[place] = sums[place]! + signs[at]! * value;
        }
      }
      for (let bit = 0; bit < BITS; bit++) if (sums[bit]! > 0) signatures[row * WORDS + (bit >>> 5)]! |= 1 << (bit & 31);
    }
  }
  return { signatures, usual };
}

/** Values that a projection adds, at least. */
const LEAST_ADDED = 6;

/** Each column is added, with a sign, to `each` of the projections, chosen by a hash: sparse projections cost little and do as well. */
function projections(columns: number): { places: Uint8Array; signs: Int8Array; each: number } {
  const each = Math.max(1, Math.ceil((LEAST_ADDED * BITS) / columns));
  const places = new Uint8Array(columns * each);
  const signs = new Int8Array(columns * each);
  for (let at = 0; at < places.length; at++) {
    const hash = mixed(at + 1);
    places[at] = hash % BITS;
    signs[at] = hash & 0x40000000 ? 1 : -1;
  }
  return { places, signs, each };
}

function mixed(value: number): number {
  let hash = Math.imul(value, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

interface Candidates {
  /** Row -> earlier rows that look like it. */
  readonly of: Map<number, number[]>;
  /** Those earlier rows. */
  readonly held: Set<number>;
}

/** Rows that fall into one bucket of any of the tables, and whose signatures are close. */
async function candidatesOf(
  { signatures, usual }: Looks,
  rows: number,
  skip: Uint8Array,
  mostHeld: number,
  { pause, done }: Pick<Pace, 'pause'> & { done(rows: number): void },
): Promise<Candidates> {
  const bits = Math.max(6, Math.min(16, Math.ceil(Math.log2(rows + 1)) - 3));
  // A bucket is a chain from its newest row back to its oldest; 0 ends it, so rows count from 1 there.
  const newest = new Int32Array(TABLES << bits);
  const older = new Int32Array(TABLES * rows);
  const found: Candidates = { of: new Map(), held: new Set() };
  let firstUsual: number | undefined;
  for (let row = 0; row < rows; row++) {
    if (row % STRIDE === 0) {
      await pause();
      done(Math.min(STRIDE, rows - row));
    }
    if (skip[row]) continue;
    const like: number[] = [];
    if (usual[row]) {
      if (firstUsual !== undefined) like.push(firstUsual);
      firstUsual ??= row;
    }
    for (let table = 0; table < TABLES; table++) {
      // Eight times 16 bits are the whole signature.
      const key = (signatures[row * WORDS + (table >>> 1)]! >>> ((table & 1) * 16)) & ((1 << bits) - 1);
      const bucket = (table << bits) | key;
      let [other, left] = [newest[bucket]!, MOST_IN_BUCKET];
      for (; other > 0 && left > 0 && like.length < MOST_CANDIDATES; left--) {
        if (apart(signatures, row, other - 1) <= MOST_APART && !like.includes(other - 1)) like.push(other - 1);
        other = older[table * rows + other - 1]!;
      }
      older[table * rows + row] = newest[bucket]!;
      newest[bucket] = row + 1;
    }
    if (like.length === 0) continue;
    const kept = like.filter(other => found.held.has(other) || found.held.size < mostHeld);
    for (const other of kept) found.held.add(other);
    if (kept.length > 0) found.of.set(row, kept);
  }
  return found;
}

function apart(signatures: Uint32Array, a: number, b: number): number {
  let bits = 0;
  for (let word = 0; word < WORDS; word++) bits += ones(signatures[a * WORDS + word]! ^ signatures[b * WORDS + word]!);
  return bits;
}

function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

interface Near {
  readonly row: number;
  readonly of: number;
  readonly cosine: number;
}

/** One reading: rows that others are held against stand before those. */
async function compared(matrix: Matrix, of: Candidates['of'], held: ReadonlySet<number>, pace: Pace): Promise<Near[]> {
  const { columns } = matrix;
  const kept = new Map<number, Float32Array>();
  const near: Near[] = [];
  for await (const { first, last, values_RC } of runsOf(matrix, pace))
    for (let row = first; row < last; row++) {
      const values_C = values_RC.subarray((row - first) * columns, (row - first + 1) * columns);
      let best: Near | undefined;
      for (const other of of.get(row) ?? []) {
        const cosine = cosineOf(values_C, kept.get(other)!);
        if (cosine >= NEAR_ROW && cosine > (best?.cosine ?? 0)) best = { row, of: other, cosine };
      }
      if (best) near.push(best);
      if (held.has(row)) kept.set(row, values_C.slice());
    }
  return near;
}

function cosineOf(a: Float32Array, b: Float32Array | Float64Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    product += a[at]! * b[at]!;
    ofA += a[at]! ** 2;
    ofB += b[at]! ** 2;
  }
  return ofA > 0 && ofB > 0 ? Math.min(1, product / Math.sqrt(ofA * ofB)) : 0;
}

/** Rows that hang together, largest group first. */
function groupsOf(near: readonly Near[]): NearRows['groups'] {
  const groupOf = new Map<number, { rows: number[]; cosine: number }>();
  const groups: { rows: number[]; cosine: number }[] = [];
  for (const { row, of, cosine } of near) {
    const group = groupOf.get(of) ?? { rows: [of], cosine: 1 };
    if (group.rows.length === 1) groups.push(group);
    group.rows.push(row);
    group.cosine = Math.min(group.cosine, cosine);
    groupOf.set(of, group).set(row, group);
  }
  return groups
    .sort((a, b) => b.rows.length - a.rows.length)
    .slice(0, MOST_GROUPS)
    .map(({ rows, cosine }) => ({ rows: rows.slice(0, MOST_NAMED), count: rows.length, cosine }));
}
