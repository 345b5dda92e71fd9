import type { Linear } from '../../anatomy/anatomy.ts';
import type { Calibration, Moments, Observed, Tap, Walk } from '../../calibration/calibration.ts';
import type { Edit } from '../pass.ts';
import { type Fit, fitOf } from './fit.ts';
import { productWith } from './product-with.ts';
import type { Site } from './sites.ts';

/**
 * The least squares at a site: what its matrix reads now, and what it must give so that the residual sum is that of the original.
 * `isApart`: the streams differ already, or stand at different layers: `goal` is what the original has where it stands.
 */
export async function fitAt(
  calibration: Calibration<Edit>,
  walk: Walk<Edit>,
  site: Site,
  isApart: boolean,
  signal?: AbortSignal,
  goal: Linear = site.linear,
): Promise<Fit> {
  const { linear } = site;
  const moments = calibration.moments(linear.in, linear.out);
  const seen = await sumAt(moments, walk, site, isApart, { goal, signal });
  return fitOf(linear, moments, scaleOf([seen]), signal);
}

/** What the norm behind a site reads: the sum of its variances over the channels, and the rows. */
export interface Seen {
  readonly variances: number;
  readonly tokens: number;
}

export const scaleOf = (seen: readonly Seen[]): number =>
  seen.reduce((sum, { variances }) => sum + variances, 0) /
    Math.max(
      1,
      seen.reduce((sum, { tokens }) => sum + tokens, 0),
    ) || 1;

/** Adds what a site reads and should give to `moments`, which have as many inputs as its matrix has with `edits` performed. */
export async function sumAt(
  moments: Moments,
  walk: Walk<Edit>,
  { linear, addsToInput }: Site,
  isApart: boolean,
  {
    goal = linear,
    edits = [],
    signal,
  }: { readonly goal?: Linear; readonly edits?: readonly Edit[]; readonly signal?: AbortSignal | undefined },
): Promise<Seen> {
  const [entering, read, given]: Tap[] = [`${linear.id}:in`, `${goal.id}:in`, `${goal.id}:out`];
  const isShown = walk.shows(given!, 'original');
  const multiply = isShown ? undefined : await productWith(goal, signal);
  const outputOf = (original: Observed) => multiply?.(original.get(read!)) ?? original.get(given!);
  const rows = together(moments, linear.in);
  let [variances, tokens] = [0, 0];
  const add = async (original: Observed, current: Observed) => {
    const [state, now, output] = [original.get('input'), current.get('input'), await outputOf(original)];
    if (addsToInput) variances += variancesOfSums(state, output, linear.out);
    else variances += variancesOfSums(new Float32Array(output.length), output, linear.out);
    tokens += original.tokens;
    const target = addsToInput && isApart ? output.map((value, i) => value + state[i]! - now[i]!) : output;
    await rows.add(current.get(entering!), target);
  };
  const asked = isShown ? given! : read!;
  if (isApart) await walk.observeBoth({ original: ['input', asked], current: ['input', entering!] }, edits, add);
  else await walk.observe('original', ['input', entering!, asked], [], batch => add(batch, batch));
  await rows.flush();
  return { variances, tokens };
}

/** Rows that are multiplied at once: texts of one length are few, and each product is as large as the matrix. */
const fewestRows = 4096;

/** Collects rows of what a matrix reads and should give, and adds many of them at once. */
export function together(moments: Moments, inputs: number) {
  let [x, y]: [Float32Array[], Float32Array[]] = [[], []];
  let rows = 0;
  const flush = async () => {
    if (rows > 0) await moments.add(joined(x), joined(y));
    [x, y, rows] = [[], [], 0];
  };
  return {
    flush,
    async add(x_TI: Float32Array, y_TO: Float32Array): Promise<void> {
      x.push(x_TI);
      y.push(y_TO);
      rows += x_TI.length / inputs;
      if (rows >= fewestRows) await flush();
    },
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The variance over the channels of each row of a + b, summed over the rows. */
function variancesOfSums(a: Float32Array, b: Float32Array, width: number): number {
  let total = 0;
  for (let row = 0; row < b.length; row += width) {
    let [sum, squares] = [0, 0];
    for (let i = row; i < row + width; i++) {
      const value = a[i]! + b[i]!;
      sum += value;
      squares += value * value;
    }
    total += squares / width - (sum / width) ** 2;
  }
  return total;
}
