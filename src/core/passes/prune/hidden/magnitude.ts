import type { Linear, Table } from '../../../anatomy/anatomy.ts';
import { floatsOf } from '../../../kernels/floats.ts';
import { weightOf } from '../matrix.ts';
import type { StreamHalf } from './stream.ts';

/** For each hidden dimension the sum of squares of all weights that read or write it; of tables the mean over their rows. [H] */
export async function channelMagnitudes(
  hidden: number,
  tables: readonly Table[],
  halves: readonly StreamHalf[],
): Promise<Float64Array> {
  const scores_H = new Float64Array(hidden);
  for (const { weight, rows } of tables) {
    const values = await floatsOf(weight, 0, rows * hidden);
    for (let at = 0; at < values.length; at++) scores_H[at % hidden]! += values[at]! ** 2 / rows;
  }
  for (const { readers, writer } of halves) {
    for (const linear of readers.flatMap(({ linears }) => linears)) await addInputs(scores_H, linear);
    const weight_IH = await weightOf(writer);
    for (let at = 0; at < weight_IH.length; at++) scores_H[at % hidden]! += weight_IH[at]! ** 2;
  }
  return scores_H;
}

async function addInputs(scores_H: Float64Array, linear: Linear): Promise<void> {
  const weight_HO = await weightOf(linear);
  for (let at = 0; at < weight_HO.length; at++) scores_H[Math.floor(at / linear.out)]! += weight_HO[at]! ** 2;
}
