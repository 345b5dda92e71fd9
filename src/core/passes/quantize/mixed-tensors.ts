import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { CastEdit, Plan, Skipped, StoreEdit } from '../pass.ts';
import { asColumn } from './as-float8.ts';
import { castsOf } from './casts.ts';
import { byRows, sidesOf } from './eight-bits.ts';
import { packMatrix } from './packed-matrix.ts';
import type { QuantizeOptions } from './scheme.ts';
import { hasDecoder, storableIn, storedAsHalf } from './storable.ts';
import { wordsOf } from './words.ts';

/** Shares of a group's range that are tried below 8 bits. */
const ratios = [1, 0.95, 0.9, 0.85, 0.8];

/** Positions lose 2 to 5 points of accuracy below this in Q-BERT (section 4.2). */
const POSITION_BITS = 8;

/** Matrices of a checkpoint with as many bits as their layer has; tables with theirs, a scale for each row. */
export function planMixedTensors(model: Model, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const withZeros = hasZeroPoints(anatomy, options, formOf(anatomy, options));
  const form = formOf(anatomy, { ...options, symmetric: !withZeros });
  const { linears, tables, skipped } = storableIn(model, anatomy, options, organ => bytesOf(organ, form(organ)));
  const edits: (StoreEdit | CastEdit)[] = [];
  for (const table of tables) {
    const { bits } = form(table);
    if (bits === 32) skipped.push({ target: table.id, reason: sentence('Embeddings stay as they are by “embedding_bits”.') });
    else if (bits === 16 || hasDecoder(table, anatomy)) edits.push(...castsOf(table, anatomy, model));
    else if (bits === 8) edits.push(inBytes(table));
    else edits.push(packed(table, form(table)));
    if (bits < 16 && hasDecoder(table, anatomy)) skipped.push(storedAsHalf(table));
  }
  for (const linear of linears) edits.push(packed(linear, form(linear)));
  if (edits.length > 0) skipped.push(...notes(model, options, withZeros));
  return { edits, skipped };
}

/** transformers 5.23 reads zero points only where all that is quantized is stored in one way, and loads no tables of less than 8 bits. */
function hasZeroPoints(
  { linears }: Anatomy,
  { symmetric, embedding_bits }: QuantizeOptions,
  form: (organ: Linear) => Form,
): boolean {
  const ways = new Set(linears.filter(({ form: stored }) => stored === 'dense').map(it => JSON.stringify(form(it))));
  return !symmetric && (embedding_bits < 8 || (embedding_bits > 8 && ways.size === 1));
}

function notes({ name }: Model, { symmetric, embedding_bits }: QuantizeOptions, withZeros: boolean): Skipped[] {
  if (embedding_bits < 8)
    return [{ target: name, reason: sentence('transformers cannot load embeddings of less than 8 bits: this file opens here.') }];
  if (symmetric || withZeros) return [];
  const reason = sentence(
    'No zero points: transformers reads them only where all matrices have one width, with blocks that fit, and embeddings 16 bits or more.',
  );
  return [{ target: name, reason }];
}

interface Form {
  readonly bits: number;
  /** 0: the whole row. */
  readonly groupSize: number;
  readonly symmetric: boolean;
}

function formOf({ layers, tables }: Anatomy, { bits, block_size, symmetric, embedding_bits }: QuantizeOptions) {
  const given = (layer: number): number => (typeof bits === 'number' ? bits : (bits[layer] ?? bits.at(-1)!));
  const ofLinear = new Map(layers.flatMap(layer => linearsIn(layer).map(({ id }) => [id, given(layer.stored)] as const)));
  const most = typeof bits === 'number' ? bits : Math.max(...bits);
  const ofTable = new Set(tables.map(({ id }) => id));
  return (organ: Linear | Table): Form => {
    if (ofTable.has(organ.id)) {
      const isPosition = /position/.test(organ.id);
      const own = isPosition ? Math.max(POSITION_BITS, embedding_bits) : embedding_bits;
      return { bits: own, groupSize: 0, symmetric };
    }
    const columns = organ.weight.shape.at(-1)!;
    return { bits: ofLinear.get(organ.id) ?? most, groupSize: columns % block_size === 0 ? block_size : 0, symmetric };
  };
}

/** What the organ takes in the file. */
function bytesOf({ weight }: Linear | Table, { bits, groupSize, symmetric }: Form): number {
  const [rows, columns] = sidesOf(weight);
  if (bits === 8 && groupSize === 0 && symmetric) return rows * columns + 4 * rows;
  if (bits === 16) return 2 * rows * columns;
  const groups = columns / (groupSize || columns);
  return 4 * rows * wordsOf(columns, bits) + 4 * rows * groups + (symmetric ? 0 : 4 * wordsOf(rows, bits) * groups) + 16;
}

/** int8 with a scale for each row, under its own name: the one form of few bits that transformers loads for a table. */
function inBytes(target: Table): StoreEdit {
  const { values, scale } = byRows(target.weight, { id: target.id, signed: true });
  return { kind: 'store', target, bits: 8, groupSize: 0, values, scale: asColumn(scale) };
}

function packed(target: Linear | Table, { bits, groupSize, symmetric }: Form): StoreEdit {
  const shape = { bits, size: groupSize || target.weight.shape.at(-1)!, symmetric, ratios: bits === 8 ? [1] : ratios };
  return { kind: 'store', target, bits, groupSize, ...packMatrix(target.weight, target.id, shape) };
}
