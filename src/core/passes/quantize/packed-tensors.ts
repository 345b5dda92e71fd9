import { type Anatomy, type Linear, linearsIn, type Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { CastEdit, Plan, StoreEdit } from '../pass.ts';
import { asColumn } from './as-float8.ts';
import { asHalf } from './as-half.ts';
import { castsOf } from './casts.ts';
import { byRows, sidesOf } from './eight-bits.ts';
import { packedBytes, packMatrix } from './packed-matrix.ts';
import type { QuantizeOptions } from './scheme.ts';
import { hasDecoder, storableIn, storedAsHalf } from './storable.ts';

// What transformers 5.23 with compressed-tensors 0.20 loads, tried:
//
//     one form for all that is packed, tables among it      with zero points or without; what is not packed is floating point
//     several forms, tables int8 with a scale for each row  without zero points only: it would look for them unpacked
//     several forms, tables packed                          not at all

/** Shares of a group's range that are tried below 8 bits. */
const ratios = [1, 0.95, 0.9, 0.85, 0.8];

/** Positions lose 2 to 5 points of accuracy below this in Q-BERT (section 4.2). */
const POSITION_BITS = 8;

/** Rows of a table lose less than matrices do: their groups are at least this long where the file has several forms anyway. */
const TABLE_GROUP = 128;

/**
 * Matrices of a checkpoint with as many bits as their layer has, in groups of inputs; tables with theirs. `areSeveral`: sizes are to
 * add up matrix by matrix, so that one form for all is no case of its own.
 */
export function planPackedTensors(model: Model, anatomy: Anatomy, options: QuantizeOptions, areSeveral = false): Plan {
  const form = formOf(anatomy, options, areSeveral);
  const { linears, tables, skipped } = storableIn(model, anatomy, options, organ => bytesOf(organ, form.of(organ)));
  const edits: (StoreEdit | CastEdit)[] = [];
  for (const table of tables) {
    const own = form.of(table);
    if (own.kind === 'as it is')
      skipped.push({ target: table.id, reason: sentence('Embeddings stay as they are by “embedding_bits”.') });
    else if (own.kind === 'half' || hasDecoder(table, anatomy)) edits.push(...castsOf(table, anatomy, model));
    else edits.push(stored(table, own));
    if (own.kind !== 'as it is' && own.kind !== 'half' && hasDecoder(table, anatomy)) skipped.push(storedAsHalf(table));
  }
  for (const linear of linears) {
    const own = form.of(linear);
    edits.push(own.kind === 'half' ? { kind: 'cast', target: linear, values: asHalf(linear.weight) } : stored(linear, own));
  }
  const notes = edits.length > 0 && form.note ? [form.note] : [];
  return { edits, skipped, notes };
}

type Form =
  | { readonly kind: 'as it is' | 'half' | 'int8' }
  | {
      readonly kind: 'packed';
      readonly bits: number;
      /** 0: the whole row. */
      readonly groupSize: number;
      readonly symmetric: boolean;
    };

interface Forms {
  of(organ: Linear | Table): Form;
  /** What a person should know of it. */
  readonly note?: Sentence;
}

function formOf(anatomy: Anatomy, options: QuantizeOptions, areSeveral: boolean): Forms {
  const { layers, tables, top, vocabulary, embeddingProjection } = anatomy;
  const { bits, block_size: size, embedding_bits: tableBits } = options;
  const given = (layer: number): number => (typeof bits === 'number' ? bits : (bits[layer] ?? bits.at(-1)!));
  const most = typeof bits === 'number' ? bits : Math.max(...bits);
  const inLayers = layers.flatMap(layer => linearsIn(layer).map(linear => [linear, given(layer.stored)] as const));
  const ofLinear = new Map(inLayers.map(([{ id }, own]) => [id, own]));
  // Poolers, heads and what widens a narrow table are small, and nothing makes up for what they lose.
  const heads = new Set(top.flatMap(({ linear }) => (linear && linear.out !== vocabulary ? linear.id : [])));
  if (embeddingProjection) heads.add(embeddingProjection.id);
  const groupOf = (organ: Linear | Table, wanted: number): number => (sidesOf(organ.weight)[1] % wanted === 0 ? wanted : 0);
  const bitsOf = (linear: Linear): number => ofLinear.get(linear.id) ?? most;

  const packed = anatomy.linears.filter(({ id, form }) => form === 'dense' && !heads.has(id));
  const ways = new Set(packed.map(linear => `${bitsOf(linear)} ${groupOf(linear, size)}`));
  const words = tables.filter(({ id }) => !isPosition(id));
  const isOne =
    !areSeveral && ways.size === 1 && (tableBits > 8 || words.every(table => ways.has(`${tableBits} ${groupOf(table, size)}`)));
  const loads = isOne || tableBits >= 8;
  const symmetric = options.symmetric || (loads && !isOne);

  const ofTable = (table: Table): Form => {
    const own = isPosition(table.id) ? Math.max(POSITION_BITS, tableBits) : tableBits;
    if (own === 32) return { kind: 'as it is' };
    if (own === 16 || (isOne && own !== tableBits)) return { kind: 'half' };
    if (isOne) return { kind: 'packed', bits: own, groupSize: groupOf(table, size), symmetric };
    if (own === 8) return { kind: 'int8' };
    return { kind: 'packed', bits: own, groupSize: groupOf(table, Math.max(TABLE_GROUP, size)), symmetric };
  };
  const isTable = new Set<string>(tables.map(({ id }) => id));
  return {
    of: organ => {
      if (isTable.has(organ.id)) return ofTable(organ as Table);
      if (heads.has(organ.id)) return { kind: isOne ? 'half' : 'int8' };
      return { kind: 'packed', bits: bitsOf(organ as Linear), groupSize: groupOf(organ, size), symmetric };
    },
    ...(noteOf(loads, symmetric && !options.symmetric) ?? {}),
  };
}

const isPosition = (id: string): boolean => /position/.test(id);

function noteOf(loads: boolean, isForced: boolean): { readonly note: Sentence } | undefined {
  if (!loads)
    return {
      note: sentence(
        'transformers loads embeddings of less than 8 bits only where matrices have the same bits and groups: this file opens here.',
      ),
    };
  if (!isForced) return undefined;
  return {
    note: sentence(
      'No zero points: transformers reads them only where all that is packed has one width, with blocks that fit, and embeddings have that width too, or 16 bits or more.',
    ),
  };
}

/** What the organ takes in the file; 0 where that is not asked. */
function bytesOf({ weight }: Linear | Table, form: Form): number {
  const [rows, columns] = sidesOf(weight);
  switch (form.kind) {
    case 'as it is':
      return 0;
    case 'half':
      return 2 * rows * columns;
    case 'int8':
      return rows * columns + 4 * rows;
    case 'packed':
      return packedBytes({ rows, columns, groups: columns / (form.groupSize || columns), ...form });
  }
}

function stored(target: Linear | Table, form: Form): StoreEdit {
  if (form.kind !== 'packed') return inBytes(target);
  const { bits, groupSize, symmetric } = form;
  const shape = { bits, size: groupSize || target.weight.shape.at(-1)!, symmetric, ratios: bits === 8 ? [1] : ratios };
  return { kind: 'store', target, bits, groupSize, ...packMatrix(target.weight, target.id, shape) };
}

/** int8 with a scale for each row, under its own name. */
function inBytes(target: Linear | Table): StoreEdit {
  const { values, scale } = byRows(target.weight, { id: target.id, signed: true });
  return { kind: 'store', target, bits: 8, groupSize: 0, values, scale: asColumn(scale) };
}
