import type { Anatomy, Linear } from '../../../anatomy/anatomy.ts';
import type { Calibration } from '../../../calibration/calibration.ts';
import { floatsOf, rowRuns } from '../../../kernels/floats.ts';
import { products } from '../../../kernels/linear-algebra/product.ts';
import type { Edit, QuantizeBlocksEdit } from '../../pass.ts';
import { matrixOf } from '../../refit/matrix-of.ts';
import { ridge } from '../../refit/ridge.ts';
import { countedRows, tokenCounts } from '../../token-counts.ts';
import { type GptqMatrix, gptqMatrix } from './gptq-matrix.ts';
import type { FormOf } from './replaced.ts';

// V rows, R rank, H hidden.

/** Rows of a table are many, and known: hardly anything draws the refit towards the projection as it is. */
const STRENGTH = 1e-6;

/** What widens the rows of a table, rounded. */
export interface RoundedProjection {
  readonly projection: Linear;
  readonly matrix: GptqMatrix;
}

/**
 * What widens a narrow table of words, refitted so that its rounded rows give what the rows gave, each counted as often as the text has
 * it, and rounded on those. undefined where the table or what widens it is not rounded in blocks by `edits`.
 */
export async function roundProjection(
  calibration: Calibration<Edit>,
  { embeddingProjection: projection, tables }: Anatomy,
  edits: readonly Edit[],
  formOf: FormOf,
  pause: () => Promise<void>,
  signal?: AbortSignal,
): Promise<RoundedProjection | undefined> {
  const form = projection && projection.form === 'dense' && formOf(projection.weight.name);
  const edit = edits.find(
    (it): it is QuantizeBlocksEdit => it.kind === 'quantize-blocks' && it.target.weight === tables[0]?.weight,
  );
  const [table] = tables;
  if (!projection || !form || !table || !edit || table.width !== projection.in) return undefined;
  const { rows, width, weight } = table;
  const moments = calibration.moments(width, width);
  const counts = tokenCounts(rows, calibration.ids);
  for await (const { first, last, values_RC } of rowRuns(weight, width, 0, rows, signal)) {
    await pause();
    const rounded = await roundedRows(edit, width, first, last, signal);
    await moments.add(countedRows(rounded, width, counts, first), countedRows(values_RC, width, counts, first));
  }
  // About zero: nothing behind a projection takes up means.
  const second_RR = moments.secondMomentXX();
  const cross_RR = moments.covarianceXY();
  const [meanX, meanY] = [moments.meanX(), moments.meanY()];
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) cross_RR[i * width + j]! += meanX[i]! * meanY[j]!;
  const own_HR = await matrixOf(projection, signal);
  const { out } = projection;
  const along = (values: Float32Array | Float64Array, count: number) => ({
    values,
    count,
    vectorStride: width,
    elementStride: 1,
  });
  const cross_RH = await products(along(cross_RR, width), along(own_HR, out), width, new Float64Array(width * out), pause);
  const refitted_HR = ridge(second_RR, cross_RH, own_HR, out, width, STRENGTH) ?? own_HR;
  return { projection, matrix: await gptqMatrix(refitted_HR, out, width, second_RR, form, pause) };
}

/** What the levels of rows [first, last) stand for, [rows, width]. */
async function roundedRows(
  { values, scale, zeroPoint, bits, blockSize }: QuantizeBlocksEdit,
  width: number,
  first: number,
  last: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const [, blocks = 0, blockBytes = 0] = values.shape;
  const [each, mask] = [8 / bits, 2 ** bits - 1];
  const zeroBytes = Math.ceil(blocks / each);
  const [rowBytes, count] = [blocks * blockBytes, last - first];
  const levels = await values.bytes(first * rowBytes, last * rowBytes, signal);
  const zeros = zeroPoint && (await zeroPoint.bytes(first * zeroBytes, last * zeroBytes, signal));
  const scales = await floatsOf(scale, first * blocks, last * blocks, signal);
  const at = (bytes: Uint8Array, start: number, i: number) =>
    (bytes[start + Math.floor(i / each)]! >> (bits * (i % each))) & mask;
  const into = new Float32Array(count * width);
  for (let r = 0; r < count; r++)
    for (let i = 0; i < width; i++) {
      const block = Math.floor(i / blockSize);
      const zero = zeros ? at(zeros, r * zeroBytes, block) : 2 ** (bits - 1);
      into[r * width + i] = (at(levels, r * rowBytes, i) - zero) * scales[r * blocks + block]!;
    }
  return into;
}
