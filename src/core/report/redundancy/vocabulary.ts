import type { Anatomy, Table } from '../../anatomy/anatomy.ts';
import type { Redundancy } from '../redundancy.ts';
import { matrixOf, type Pace, READ, runsOf } from './matrix.ts';
import { NEAR_READS, nearRows } from './near-rows.ts';

/** What it takes in all, in readings of the table. */
export const VOCABULARY_READS = 1 + NEAR_READS;

/** Rows that are named. */
const EXAMPLES = 20;

/** The table of words: by its id, else the one with as many rows as the vocabulary. */
export function wordTable({ tables, vocabulary }: Anatomy): Table | undefined {
  return tables.find(({ id }) => id.endsWith('word_embeddings')) ?? tables.find(({ rows }) => rows === vocabulary);
}

/**
 * Rows of the word table that no training reached: all zero, one number all along, or equal to another row; and of the others those
 * that are nearly alike. Equal rows are found by a hash of 64 bits of their values: with a million rows the chance of a false one is 3e-8.
 */
export async function vocabularyOf(table: Table, pace: Pace): Promise<Redundancy['vocabulary']> {
  const matrix = await matrixOf(table, pace.signal);
  if (!matrix || matrix.rows < 2) return null;
  const { rows, columns } = matrix;
  const unused = new Uint8Array(rows);
  const firstWith = new Map<string, number>();
  for await (const { first, last, values_RC } of runsOf(matrix, pace)) {
    pace.done(READ * values_RC.length, table.id);
    const bits = new Uint32Array(values_RC.buffer, values_RC.byteOffset, values_RC.length);
    for (let row = first; row < last; row++) {
      const start = (row - first) * columns;
      const { hash, constant } = rowHash(bits, start, start + columns);
      const known = firstWith.get(hash);
      if (known === undefined) firstWith.set(hash, row);
      else unused[known] = unused[row] = 1;
      if (constant && columns > 1) unused[row] = 1;
    }
  }
  const found: number[] = [];
  for (let row = 0; row < rows; row++) if (unused[row]) found.push(row);
  const bytesEach = (table.weight.byteLength + (table.scale?.byteLength ?? 0) + (table.zeroPoint?.byteLength ?? 0)) / rows;
  return {
    rows,
    unused: found.length,
    byteLength: Math.round(bytesEach * found.length),
    examples: found.slice(0, EXAMPLES),
    near: await nearRows(table, unused, pace),
  };
}

/** Two 32-bit FNV-like hashes of a row's bits, -0 taken for 0; and whether all its values are one number. */
function rowHash(bits: Uint32Array, start: number, end: number): { hash: string; constant: boolean } {
  let [one, two, constant] = [0x811c9dc5, 0x9e3779b9, true];
  const head = bits[start]! === 0x80000000 ? 0 : bits[start]!;
  for (let at = start; at < end; at++) {
    const value = bits[at]! === 0x80000000 ? 0 : bits[at]!;
    one = Math.imul(one ^ value, 0x01000193);
    one ^= one >>> 15;
    two = Math.imul(two ^ value, 0x85ebca6b);
    two ^= two >>> 13;
    constant &&= value === head;
  }
  return { hash: `${one >>> 0},${two >>> 0}`, constant };
}
