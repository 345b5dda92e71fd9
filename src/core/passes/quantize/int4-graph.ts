import { type Anatomy, type Linear, linearsIn, type Table } from '../../anatomy/anatomy.ts';
import { embeddingIds } from '../../anatomy/ids.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Plan, QuantizeBlocksEdit, QuantizeEdit, Skipped } from '../pass.ts';
import type { Use } from '../uses.ts';
import { asHalf } from './as-half.ts';
import { leastSaving, leftOut } from './choice.ts';
import { byRows, sidesOf } from './eight-bits.ts';
import { readsAgainst, takeMatrices } from './graph-matrices.ts';
import { type BlockSides, inBlocks } from './int4-blocks.ts';
import { BLOCKS_OPSET, cannotRaise, TWO_BITS_OPSET } from './int4-opset.ts';
import type { QuantizeOptions } from './scheme.ts';

/** About what the nodes and names of one matrix add to the file. */
const ORGAN_BYTES = 400;

/** Rows of a table lose less than matrices do: their blocks are at least this long. On all-MiniLM-L6-v2, 4 bits: cosine 0.9985. */
const TABLE_BLOCK = 128;

/**
 * Shares of a block's range that are tried. Cosine of all-MiniLM-L6-v2's vectors at 4 bits in blocks of 64: 0.9685 with the range
 * alone, 0.9716 with two shares, 0.9724 with these, 0.9730 with eight or fifteen down to a half.
 */
const ratios = [1, 0.95, 0.9, 0.85, 0.8];

/** Matrices and tables in blocks, each weight rounded to the nearest level of its block. rewrite/blocks.ts writes the graph. */
export function planBlocks(model: Model & { readonly graph: Graph }, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const old = cannotWrite(model, options);
  if (old) return { edits: [], skipped: [old] };
  const bitsOf = bitsByLinear(anatomy, options);
  const edits: (QuantizeBlocksEdit | QuantizeEdit)[] = [];
  const skipped = takeMatrices(model, anatomy, options, ({ target, uses }) => {
    const isTable = uses.some(use => use.kind === 'gather');
    const bits = isTable ? options.embedding_bits : bitsOf(target);
    const halves = hasHalfScales(target, anatomy, options);
    const reason = kept(target, uses, bits, halves, model, options);
    if (reason) return reason;
    const asRows = isTable && inRows(uses, bits, options);
    edits.push(asRows ? rowsOf(target) : blocksOf(target, uses, bits as 2 | 4 | 8, halves, options));
    return asRows && bits !== 8 ? sentence('A product reads it too: it has 8 bits.') : undefined;
  });
  return { edits, skipped };
}

/** Why standard operators cannot be had in this graph. onnxruntime's own need no version. */
function cannotWrite(
  model: Model & { readonly graph: Graph },
  { operators, bits, embedding_bits: table }: QuantizeOptions,
): Skipped | undefined {
  if (operators !== 'standard') return undefined;
  const widths = [table, ...(typeof bits === 'number' ? [bits] : bits)];
  const opset = widths.includes(2) ? TWO_BITS_OPSET : BLOCKS_OPSET;
  const reason = cannotRaise(model.graph, opset);
  if (!reason) return undefined;
  const now = model.graph.opsets.get('') ?? 1;
  const sentences = {
    old: () =>
      sentence('The model uses opset {opset}; blocks in standard operators need {least}. Choose operators: contrib.', {
        opset: now,
        least: opset,
      }),
    operator: (operator: string) =>
      sentence(
        'The model uses opset {opset}, and {operator} stands against raising it to {least}, which blocks in standard operators need.',
        {
          opset: now,
          operator,
          least: opset,
        },
      ),
  };
  return { target: model.name, reason: reason === 'old' ? sentences.old() : sentences.operator(reason.operator) };
}

/**
 * Poolers and heads take 8: they are small, and nothing behind them makes up for what they lose. So does what widens a narrow table: every
 * token goes through it. Other matrices outside layers take the most that a layer is given.
 */
function bitsByLinear(
  { layers, top, vocabulary, embeddingProjection }: Anatomy,
  { bits }: QuantizeOptions,
): (organ: Linear | Table) => number {
  const each = (layer: number): number => (typeof bits === 'number' ? bits : (bits[layer] ?? bits.at(-1)!));
  const byName = new Map(
    layers.flatMap(layer => linearsIn(layer).map(({ weight }) => [weight.name, each(layer.stored)] as const)),
  );
  if (embeddingProjection) byName.set(embeddingProjection.weight.name, 8);
  for (const { linear } of top) if (linear && linear.out !== vocabulary) byName.set(linear.weight.name, 8);
  const most = typeof bits === 'number' ? bits : Math.max(...bits);
  return ({ weight }) => byName.get(weight.name) ?? most;
}

/** Why a matrix stays as it is, if it does. */
function kept(
  target: Linear | Table,
  uses: readonly Use[],
  bits: number,
  halves: boolean,
  model: Model & { readonly graph: Graph },
  options: QuantizeOptions,
): Sentence | undefined {
  const { weight } = target;
  const chosen = leftOut(target.id, options);
  if (chosen) return chosen;
  if (weight.shape.length !== 2)
    return sentence('It has {axes} axes; only matrices are quantized.', { axes: weight.shape.length });
  if (weight.dtype !== 'fp32' && weight.dtype !== 'fp16')
    return sentence('It is {dtype}, which the operators for blocks do not take.', { dtype: weight.dtype });
  const against = readsAgainst(uses, options);
  if (against) return against;
  const saved = saving(weight, bits, uses, halves, options);
  if (saved < leastSaving(model))
    return sentence('Too small to gain: it would save {saved} bytes of the file.', { saved: Math.max(0, Math.round(saved)) });
  return undefined;
}

/** Bytes that the file gets smaller by: scales, zero points and nodes count against it. */
function saving(weight: Tensor, bits: number, uses: readonly Use[], halves: boolean, options: QuantizeOptions): number {
  const { channels, length } = sides(weight, uses);
  const isTable = uses.some(use => use.kind === 'gather');
  if (isTable && inRows(uses, bits, options)) return weight.byteLength - channels * (length + 4) - ORGAN_BYTES;
  const size = sizeOf(isTable, options);
  const blocks = Math.ceil(length / size);
  const zeroPoints = options.symmetric ? 0 : (blocks * bits) / 8;
  return weight.byteLength - channels * ((blocks * size * bits) / 8 + (halves ? 2 : 4) * blocks + zeroPoints) - ORGAN_BYTES;
}

/**
 * Scales in the type of the weight. Those of a narrow table take 2 bytes each all the same: a row of 128 numbers has 64 bytes beside its
 * scale. A look-up gives what its scales are; a Cast behind it widens what was looked up, which is off by up to 0.05 %.
 */
function hasHalfScales(target: Linear | Table, { embeddingProjection }: Anatomy, { operators }: QuantizeOptions): boolean {
  if (target.weight.dtype === 'fp16') return true;
  return 'rows' in target && operators === 'contrib' && target.id === embeddingIds.word && embeddingProjection !== undefined;
}

/** Channels are rows where rows are looked up, or the product reads the weight transposed. */
function sides(weight: Tensor, uses: readonly Use[]): BlockSides {
  const [rows, columns] = sidesOf(weight);
  const turned = !uses.some(use => use.kind === 'gather' || use.transposed);
  return turned ? { channels: columns, length: rows, turned } : { channels: rows, length: columns, turned };
}

const sizeOf = (isTable: boolean, { block_size: size }: QuantizeOptions): number =>
  isTable ? Math.max(TABLE_BLOCK, size) : size;

function blocksOf(
  target: Linear | Table,
  uses: readonly Use[],
  bits: 2 | 4 | 8,
  halves: boolean,
  options: QuantizeOptions,
): QuantizeBlocksEdit {
  const { weight } = target;
  const { symmetric } = options;
  const size = sizeOf(
    uses.some(use => use.kind === 'gather'),
    options,
  );
  const form = { id: target.id, bits, size, symmetric, ratios: bits === 8 ? [1] : ratios };
  const lying = sides(weight, uses);
  const { scale, ...rest } = inBlocks(weight, lying, form);
  const operators = options.operators === 'standard' ? 'standard' : 'contrib';
  const common = { kind: 'quantize-blocks', target, bits, blockSize: size, turned: lying.turned, operators } as const;
  return { ...common, ...rest, scale: halves ? asHalf(scale) : scale };
}

/** With 8 bits, and where it is multiplied too, which no operator for blocks does with the bytes that another looks up. */
const inRows = (uses: readonly Use[], bits: number, { operators }: QuantizeOptions): boolean =>
  bits === 8 || (operators === 'contrib' && uses.some(use => use.kind !== 'gather'));

/** A table of 8 bits has a scale for each row, which standard operators look up beside it. */
function rowsOf(target: Linear | Table): QuantizeEdit {
  const rows = byRows(target.weight, { id: target.id, signed: false });
  return { kind: 'quantize', target, scheme: 'int8', ...rows, layout: 'stored' };
}
