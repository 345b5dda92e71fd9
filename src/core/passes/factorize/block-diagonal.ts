import type { Product32 } from '../../kernels/linear-algebra/product32.ts';
import type { FactorValues } from './factors.ts';
import { balanced } from './plain.ts';
import { topOf } from './top-of.ts';

/** Rounds at most; most of what they gain comes in the first two. */
const ROUNDS = 12;

/** A round that takes away less than this share of what is lost is the last. */
const LEAST_GAIN = 1e-3;

/**
 * Blocks along the diagonal and a product of thin matrices, together close to a matrix in the sum of squared differences. In turn each is
 * the optimum given the other: the thin pair the truncated SVD of what the blocks leave, the blocks what the pair leaves there. What
 * is lost falls in each round; where it stops neither alone can do better.
 * returns  blocks [groups, in / groups, out / groups], first [in, 1, rank], second [rank, 1, out]
 * source   alternating projection, as in GoDec: Zhou and Tao, ICML 2011
 */
export async function blockParts(
  weight_OI: Float32Array,
  out: number,
  width: number,
  groups: number,
  rank: number,
  product: Product32 | undefined,
  pause: () => Promise<void>,
): Promise<readonly [Float32Array, Float32Array, Float32Array]> {
  const [rows, columns] = [out / groups, width / groups];
  // The pair is fitted to the matrix with what the pair of the round before gave in place of the blocks.
  const left_OI = Float32Array.from(weight_OI);
  for (let o = 0; o < out; o++) {
    const from = o * width + Math.floor(o / rows) * columns;
    left_OI.fill(0, from, from + columns);
  }
  let pair: FactorValues = { first: new Float32Array(0), second: new Float32Array(0) };
  let before = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const { values, left, right } = await topOf(left_OI, out, width, rank, product, pause);
    pair = balanced(values, left, right, width, rank);
    // What the pair loses of all, less what it loses on the diagonal, where the blocks make up for it.
    const all = values.subarray(rank).reduce((sum, value) => sum + value * value, 0);
    const lost = all - fillBlocks(left_OI, pair, width, rank, rows, columns);
    if (!(lost < before * (1 - LEAST_GAIN))) break;
    before = lost;
  }
  const blocks = new Float32Array(groups * rows * columns);
  for (let g = 0; g < groups; g++)
    for (let i = 0; i < columns; i++)
      for (let o = 0; o < rows; o++) {
        const at = (g * rows + o) * width + g * columns + i;
        blocks[(g * columns + i) * rows + o] = weight_OI[at]! - left_OI[at]!;
      }
  return [blocks, turn(pair.first, rank, width), turn(pair.second, out, rank)];
}

/** Puts what the pair gives in place of the blocks; returns by how many squares that differs from what stood there. */
function fillBlocks(
  left_OI: Float32Array,
  { second, first }: FactorValues,
  width: number,
  rank: number,
  rows: number,
  columns: number,
): number {
  const part = new Float64Array(columns);
  let moved = 0;
  for (let o = 0; o < second.length / rank; o++) {
    const from = Math.floor(o / rows) * columns;
    part.fill(0);
    for (let r = 0; r < rank; r++) {
      const by = second[o * rank + r]!;
      for (let i = 0, at = r * width + from; i < columns; i++) part[i]! += by * first[at + i]!;
    }
    for (let i = 0, at = o * width + from; i < columns; i++, at++) {
      moved += (left_OI[at]! - part[i]!) ** 2;
      left_OI[at] = part[i]!;
    }
  }
  return moved;
}

function turn(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c]!;
  return turned;
}
