import { type Anatomy, type Linear, linearsIn, type Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { sidesOf } from './eight-bits.ts';
import { packedBytes } from './packed-matrix.ts';
import type { QuantizeOptions } from './scheme.ts';

// What transformers 5.23 with compressed-tensors 0.20 loads, tried:
//
//     one form for all that is packed, tables among it      with zero points or without; what is not packed is floating point
//     several forms, tables int8 with a scale for each row  without zero points only: it would look for them unpacked
//     several forms, tables packed                          not at all

/** How a matrix or a table of a checkpoint is stored. */
export type Form =
  | { readonly kind: 'as it is' | 'half' | 'int8' }
  | {
      readonly kind: 'packed';
      readonly bits: number;
      /** 0: the whole row. */
      readonly groupSize: number;
      readonly symmetric: boolean;
    };

export interface Forms {
  of(organ: Linear | Table): Form;
  /** What a person should know of it. */
  readonly note?: Sentence;
}

/** Positions lose 2 to 5 points of accuracy below this in Q-BERT (section 4.2). */
const POSITION_BITS = 8;

/** Rows of a table lose less than matrices do: their groups are at least this long where the file has several forms anyway. */
const TABLE_GROUP = 128;

/** The form of each matrix and table; `areSeveral`: one form for all is no case of its own. */
export function formsOf(anatomy: Anatomy, options: QuantizeOptions, areSeveral: boolean): Forms {
  const { tables } = anatomy;
  const { block_size: size, embedding_bits: tableBits } = options;
  const bitsOf = bitsByLinear(anatomy, options);
  const heads = headsOf(anatomy);
  const packed = anatomy.linears.filter(({ id, form }) => form === 'dense' && !heads.has(id));
  const ways = new Set(packed.map(linear => `${bitsOf(linear)} ${groupOf(linear, size)}`));
  const areAlike = tables.every(table => isPosition(table) || ways.has(`${tableBits} ${groupOf(table, size)}`));
  const isOne = !areSeveral && ways.size === 1 && (tableBits > 8 || areAlike);
  const loads = isOne || tableBits >= 8;
  const symmetric = options.symmetric || (loads && !isOne);

  const ofTable = (table: Table): Form => {
    const bits = isPosition(table) ? Math.max(POSITION_BITS, tableBits) : tableBits;
    if (bits === 32) return { kind: 'as it is' };
    if (bits === 16 || (isOne && bits !== tableBits)) return { kind: 'half' };
    if (isOne) return { kind: 'packed', bits, groupSize: groupOf(table, size), symmetric };
    if (bits === 8) return { kind: 'int8' };
    return { kind: 'packed', bits, groupSize: groupOf(table, Math.max(TABLE_GROUP, size)), symmetric };
  };
  const note = noteOf(loads, symmetric && !options.symmetric);
  return {
    of: organ => {
      if (!('out' in organ)) return ofTable(organ);
      if (heads.has(organ.id)) return { kind: isOne ? 'half' : 'int8' };
      return { kind: 'packed', bits: bitsOf(organ), groupSize: groupOf(organ, size), symmetric };
    },
    ...(note && { note }),
  };
}

/** Matrices outside layers take the most that a layer is given. */
function bitsByLinear({ layers }: Anatomy, { bits }: QuantizeOptions): (linear: Linear) => number {
  const given = (layer: number): number => (typeof bits === 'number' ? bits : (bits[layer] ?? bits.at(-1)!));
  const most = typeof bits === 'number' ? bits : Math.max(...bits);
  const byId = new Map(layers.flatMap(layer => linearsIn(layer).map(({ id }) => [id, given(layer.stored)] as const)));
  return ({ id }) => byId.get(id) ?? most;
}

/** Poolers, heads and what widens a narrow table are small, and nothing makes up for what they lose: 8 bits or more. */
function headsOf({ top, vocabulary, embeddingProjection }: Anatomy): ReadonlySet<string> {
  const heads = new Set(top.flatMap(({ linear }) => (linear && linear.out !== vocabulary ? linear.id : [])));
  if (embeddingProjection) heads.add(embeddingProjection.id);
  return heads;
}

const isPosition = ({ id }: Table): boolean => /position/.test(id);

const groupOf = ({ weight }: Linear | Table, wanted: number): number => (sidesOf(weight)[1] % wanted === 0 ? wanted : 0);

function noteOf(loads: boolean, isForced: boolean): Sentence | undefined {
  if (!loads)
    return sentence(
      'transformers loads embeddings of less than 8 bits only where matrices have the same bits and groups: this file opens here.',
    );
  if (!isForced) return undefined;
  return sentence(
    'No zero points: transformers reads them only where all that is packed has one width, with blocks that fit, and embeddings have that width too, or 16 bits or more.',
  );
}

/** What the organ takes in the file; 0 where that is not asked. */
export function bytesIn({ weight }: Linear | Table, form: Form): number {
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
