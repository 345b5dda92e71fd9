import { placeUpper } from '../../kernels/linear-algebra/gptq.ts';
import { openGptq, WIDTH } from '../../kernels/linear-algebra/gptq-kernels.ts';
import { markLowest } from './lowest.ts';
import { groupOf, type Share, zerosOf } from './share.ts';

// O out, I in

/**
 * Removes weights column by column, those behind making up for what those before lost. Which ones go is decided block by block of 128
 * columns by w^2 / U_ii^2, the error that removing one adds, or group by group as they stand when they are reached.
 * weight_OI  [out, in], left as it is
 * upper_II   U with U^T U = H^-1 (inverseCholeskyUpper), H the second moments of the inputs, with damping
 * source     Frantar and Alistarh: SparseGPT, ICML 2023, algorithm 1
 */
export async function sparseGpt(
  weight_OI: Float32Array,
  out: number,
  wide: number,
  upper_II: Float64Array,
  share: Share,
  pause: () => Promise<void>,
): Promise<{ readonly weight_OI: Float32Array; readonly gone_OI: Uint8Array }> {
  const memory = openGptq(out, wide);
  const { weights, stride, upper, errors } = memory;
  for (let r = 0; r < out; r++) weights.set(weight_OI.subarray(r * wide, (r + 1) * wide), r * stride);
  const gone = new Uint8Array(out * wide);
  const group = groupOf[share.pattern];
  const zeros = zerosOf(out, wide, share);
  for (let block = 0; block < wide; block += WIDTH) {
    await pause();
    const columns = Math.min(WIDTH, wide - block);
    const width = Math.ceil(columns / 4) * 4;
    placeUpper(memory, upper_II, wide, block, width);
    // Each block loses its part, so that together they lose what the matrix is to lose.
    const part = Math.round((zeros * (block + columns)) / wide) - Math.round((zeros * block) / wide);
    if (!group) markBlock(memory, gone, { out, wide, block, columns, width }, part);
    for (let r = 0; r < out; r++) {
      const row = r * stride + block;
      const marks = r * wide + block;
      for (let i = 0; i < columns; i++) {
        if (group && (block + i) % group.size === 0 && block + i + group.size <= wide)
          markGroup(weights, row + i, upper, i, width, gone, marks + i, group.size, group.kept);
        if (gone[marks + i] === 0) continue;
        const change = weights[row + i]! / upper[i * width + i]!;
        errors[r * width + i] = change;
        weights[row + i] = 0;
        for (let j = i + 1, at = i * width + j; j < columns; j++, at++) weights[row + j]! -= change * upper[at]!;
      }
    }
    memory.passOn(block, width);
  }
  const into = new Float32Array(out * wide);
  for (let r = 0; r < out; r++) into.set(weights.subarray(r * stride, r * stride + wide), r * wide);
  return { weight_OI: into, gone_OI: gone };
}

interface Block {
  readonly out: number;
  readonly wide: number;
  readonly block: number;
  readonly columns: number;
  readonly width: number;
}

function markBlock(
  { weights, stride, upper }: Pick<ReturnType<typeof openGptq>, 'weights' | 'stride' | 'upper'>,
  gone: Uint8Array,
  { out, wide, block, columns, width }: Block,
  count: number,
): void {
  const scores = new Float32Array(out * columns);
  for (let r = 0; r < out; r++)
    for (let i = 0; i < columns; i++)
      scores[r * columns + i] = Math.abs(weights[r * stride + block + i]! / upper[i * width + i]!);
  const marks = new Uint8Array(out * columns);
  markLowest(scores, count, marks);
  for (let r = 0; r < out; r++) gone.set(marks.subarray(r * columns, (r + 1) * columns), r * wide + block);
}

/** Of the weights [at, at + size) those that cost least are marked. */
function markGroup(
  weights: Float32Array,
  at: number,
  upper: Float32Array,
  column: number,
  width: number,
  gone: Uint8Array,
  marks: number,
  size: number,
  kept: number,
): void {
  for (let removed = 0; removed < size - kept; removed++) {
    let [best, lowest] = [-1, Number.POSITIVE_INFINITY];
    for (let i = 0; i < size; i++) {
      if (gone[marks + i] === 1) continue;
      const score = Math.abs(weights[at + i]! / upper[(column + i) * (width + 1)]!);
      if (score < lowest) [best, lowest] = [i, score];
    }
    gone[marks + best] = 1;
  }
}
