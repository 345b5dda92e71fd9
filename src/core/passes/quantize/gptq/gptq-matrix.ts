import { openBlocks } from '../../../kernels/blocks.ts';
import { gptqBlock } from '../../../kernels/linear-algebra/gptq.ts';
import { inverseCholeskyUpper } from '../../../kernels/linear-algebra/spd.ts';
import { groupLevels } from '../group-levels.ts';
import { halfScale } from '../half-scale.ts';

// O out, I in, G groups.

export interface GptqForm {
  /** 1 to 8. */
  readonly bits: number;
  /** Inputs that share a scale: a multiple of 16. */
  readonly group: number;
  readonly symmetric: boolean;
  /** As words of a checkpoint: scales are numbers of fp16, and those of symmetric groups have a sign. */
  readonly words?: boolean;
}

/** weight = (level - zero) * scale */
export interface GptqMatrix {
  /** [out, in] */
  readonly level_OI: Uint8Array;
  readonly scale_OG: Float32Array;
  readonly zero_OG: Uint8Array;
  /** What the levels stand for, [out, in]. */
  readonly weight_OI: Float32Array;
}

/** Share of the mean of H's diagonal that is added to it: Frantar et al.; more where H is singular even so. */
const DAMPING = 0.01;

/** Shares of a group's range that are tried, by squared error of the weights. At 3 bits: cosine 0.960 without, 0.964 with. */
const ratios = Array.from({ length: 15 }, (_, i) => 1 - i / 25);

/** Each is tried with both signs. */
const signedRatios = Array.from({ length: 8 }, (_, i) => 1 - i / 16);

/**
 * Rounds a matrix so that what it gives on the inputs it sees changes least: columns with the largest inputs first (activation
 * order), each making up for what was lost before it. Scales and zero points are those of the groups as they lie, fixed first.
 * weight_OI  [out, in], left as it is
 * hessian_II second moments of the inputs [in, in], on any scale; columns of inputs that are always 0 become 0
 * source     Frantar, Ashkboos, Hoefler, Alistarh: GPTQ, ICLR 2023, with the activation order and static groups of its authors' code
 */
export async function gptqMatrix(
  weight_OI: Float32Array,
  out: number,
  wide: number,
  hessian_II: Float64Array,
  form: GptqForm,
  pause?: () => Promise<void>,
): Promise<GptqMatrix> {
  const order = activationOrder(hessian_II, wide);
  const dead = Array.from(order, i => !(hessian_II[i * wide + i]! > 0));
  const { bits, group } = form;
  const most = 2 ** bits - 1;
  const { scale_OG, zero_OG } = scalesOf(weight_OI, out, wide, form);
  const groups = Math.ceil(wide / group);
  const [weight, scale, zero] = [0, 1, 2].map(() => new Float32Array(out * wide)) as [Float32Array, Float32Array, Float32Array];
  for (let o = 0; o < out; o++)
    for (let at = 0; at < wide; at++) {
      const i = order[at]!;
      const place = o * groups + Math.floor(i / group);
      weight[o * wide + at] = dead[at] ? 0 : weight_OI[o * wide + i]!;
      // The kernel knows positive scales: with a negative one levels count down.
      scale[o * wide + at] = Math.abs(scale_OG[place]!);
      zero[o * wide + at] = scale_OG[place]! < 0 ? most - zero_OG[place]! : zero_OG[place]!;
    }
  const upper = factor(hessian_II, wide, order);
  const options = {
    low: 0,
    high: most,
    group: 1,
    symmetric: false,
    ratios: [1],
    given: { scale_OG: scale, zero_OG: zero },
  };
  const { level_OI: ordered } = await gptqBlock(weight, out, wide, upper, options, pause);
  const level_OI = new Uint8Array(out * wide);
  const rounded = new Float32Array(out * wide);
  for (let o = 0; o < out; o++)
    for (let at = 0; at < wide; at++) {
      const [from, to] = [o * wide + at, o * wide + order[at]!];
      const place = o * groups + Math.floor(order[at]! / group);
      level_OI[to] = scale_OG[place]! < 0 ? most - ordered[from]! : ordered[from]!;
      rounded[to] = Math.fround(ordered[from]! - zero[from]!) * scale[from]!;
    }
  return { level_OI, scale_OG, zero_OG, weight_OI: rounded };
}

function activationOrder(hessian_II: Float64Array, wide: number): Uint32Array {
  const diagonal = Float64Array.from({ length: wide }, (_, i) => hessian_II[i * wide + i]!);
  return Uint32Array.from(Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]! || a - b));
}

function scalesOf(weight_OI: Float32Array, out: number, wide: number, { bits, group, symmetric, words }: GptqForm) {
  if (words && symmetric) {
    const shape = { bits, size: group, symmetric, ratios: signedRatios, halves: true };
    const { scale_RG, zero_RG } = groupLevels(weight_OI, out, wide, shape);
    return { scale_OG: scale_RG, zero_OG: zero_RG };
  }
  const blocks = Math.ceil(wide / group);
  const memory = openBlocks({ bits, size: group, symmetric, ratios }, out * wide, out * blocks);
  memory.values.set(weight_OI);
  memory.quantize({ channels: out, length: wide, channelStride: wide, elementStride: 1, blocks, firstBlock: 0 });
  return { scale_OG: words ? memory.scales.map(halfScale) : memory.scales.slice(), zero_OG: memory.zeros.slice() };
}

/** U with U^T U = H^-1 in activation order, with damping. */
function factor(hessian_II: Float64Array, wide: number, order: Uint32Array): Float64Array {
  let mean = 0;
  for (let i = 0; i < wide; i++) mean += hessian_II[i * wide + i]! / wide;
  if (!(mean > 0)) mean = 1;
  for (let damping = DAMPING; ; damping *= 10) {
    const damped = new Float64Array(wide * wide);
    for (let r = 0; r < wide; r++)
      for (let c = 0; c < wide; c++) damped[r * wide + c] = hessian_II[order[r]! * wide + order[c]!]!;
    for (let i = 0; i < wide; i++) {
      if (!(damped[i * wide + i]! > 0)) damped[i * wide + i] = mean;
      damped[i * wide + i]! += damping * mean;
    }
    const upper = inverseCholeskyUpper(damped, wide);
    if (upper) return upper;
    if (damping > 1e6) throw new Error('the second moments of the inputs are not finite');
  }
}
