import type { Anatomy } from '../../anatomy/anatomy.ts';
import { rowRuns } from '../../kernels/floats.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { deferred, once } from '../computed.ts';
import type { Use } from '../uses.ts';
import { sidesOf } from './eight-bits.ts';
import { type Spread, spreadsByNorm } from './spreads.ts';

// SmoothQuant (Xiao et al., ICML 2023): a channel of the input with large values is divided by a factor s, and its weights multiplied
// by it, before both are quantized: s = a^strength / w^(1 - strength), with a the largest magnitude of the channel in the input and w
// in the weights. A residual connection that reads the same value is not touched: the division is a product of its own.

export interface Smoothing {
  /** f32 [in], 1 / s: what the input is multiplied by. */
  readonly factor: Tensor;
  /** s: what the weights of each input channel are multiplied by. */
  readonly weights: (signal?: AbortSignal) => Promise<Float32Array>;
}

/** A matrix that is multiplied and not looked up, and where. */
export interface Multiplied {
  readonly weight: Tensor;
  readonly uses: readonly Use[];
}

/** Channels below this count as it: a channel that is never used must not make the others' factors meaningless. */
const LEAST = 1e-5;

/**
 * The factors of each weight that has some, by the weight's name. What reads the same value has the same factors, and so has what one
 * weight, or its copy, multiplies. Where that is query, key and value the value matrix decides alone: errors of the others are softened by Softmax
 * (minilm, 7 bits: cosine 0.9982, and 0.9967 if all three had a say). A decoder that holds the word embeddings again stays their copy. `observed` holds the largest magnitudes by value, from text; where it has none, the norm in front says what to expect.
 */
export function smoothings(
  model: Model & { readonly graph: Graph },
  anatomy: Anatomy,
  multiplied: readonly Multiplied[],
  strength: number,
  observed?: ReadonlyMap<string, Float32Array>,
): ReadonlyMap<string, Smoothing> {
  const found = new Map<string, Smoothing>();
  if (strength === 0 && !observed) return found;
  const byNorm = spreadsByNorm(model, anatomy);
  const leaders = new Set(anatomy.layers.map(({ value }) => (value.within ?? value).weight.name));
  const tables = new Set(anatomy.tables.map(({ weight }) => weight.name));
  const free = multiplied.filter(({ weight }) => !tables.has(anatomy.copies.get(weight.name) ?? weight.name));
  for (const group of groupsOf(free, anatomy.copies)) {
    const width = group.members.map(inputsOf)[0]!;
    if (group.members.some(member => inputsOf(member) !== width)) continue;
    const spreads = [...group.values].flatMap((value): Spread[] => {
      const seen = observed?.get(value);
      const expected = seen ? { width: seen.length, largest: async () => seen } : byNorm.get(value);
      return expected?.width === width ? [expected] : [];
    });
    if (spreads.length === 0) continue;
    const leading = group.members.filter(({ weight }) => leaders.has(weight.name));
    const smoothing = smoothingOf(leading.length > 0 ? leading : group.members, spreads, width, strength);
    for (const { weight } of group.members) found.set(weight.name, smoothing);
  }
  return found;
}

/** Does the weight lie [out, in] for its products? */
const isTurned = ({ uses }: Multiplied): boolean => uses[0]!.transposed;

const inputsOf = (member: Multiplied): number => sidesOf(member.weight)[isTurned(member) ? 1 : 0];

interface Group {
  readonly members: Multiplied[];
  readonly values: Set<string>;
}

/** Weights that share an input, or their numbers, directly or by others in between. */
function groupsOf(multiplied: readonly Multiplied[], copies: Anatomy['copies']): Iterable<Group> {
  const byKey = new Map<string, Group>();
  const keys = new Map<Group, string[]>();
  for (const member of multiplied) {
    const values = new Set(member.uses.map(({ node }) => node.inputs[0]!));
    const { name } = member.weight;
    const own = [...[...values].map(value => `value ${value}`), `weight ${copies.get(name) ?? name}`];
    const group: Group = { members: [member], values };
    for (const known of new Set(own.flatMap(key => byKey.get(key) ?? []))) {
      group.members.unshift(...known.members);
      for (const value of known.values) values.add(value);
      own.push(...keys.get(known)!);
      keys.delete(known);
    }
    keys.set(group, own);
    for (const key of own) byKey.set(key, group);
  }
  return keys.keys();
}

function smoothingOf(members: readonly Multiplied[], spreads: readonly Spread[], width: number, strength: number): Smoothing {
  const weights = once(async signal => {
    const inputs = new Float32Array(width).fill(LEAST);
    for (const spread of spreads) {
      const values = await spread.largest(signal);
      for (let i = 0; i < width; i++) inputs[i] = Math.max(inputs[i]!, values[i]!);
    }
    const largest = new Float32Array(width).fill(LEAST);
    for (const member of members) await addLargest(member, largest, signal);
    const factors = inputs.map((value, i) => value ** strength / largest[i]! ** (1 - strength));
    const mean = factors.reduce((sum, value) => sum + value, 0) / width;
    // A weight that is not finite is told where it is quantized; here it must not take its neighbours with it.
    return factors.map(value => (Number.isFinite(value / mean) && value > 0 ? value / mean : 1));
  });
  const factor = deferred('smoothing', 'fp32', [width], async signal => (await weights(signal)).map(value => 1 / value));
  return { factor, weights };
}

/** into_I = max(into_I, the largest magnitude of each input channel). */
async function addLargest(member: Multiplied, into_I: Float32Array, signal?: AbortSignal): Promise<void> {
  const [rows, columns] = sidesOf(member.weight);
  for await (const { first, last, values_RC } of rowRuns(member.weight, columns, 0, rows, signal))
    if (isTurned(member)) kernels.absMaxByColumn(values_RC, into_I);
    else kernels.absMaxByRow(values_RC, into_I.subarray(first, last));
}
