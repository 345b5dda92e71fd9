import type { Anatomy, Layer, Linear, Norm } from '../../anatomy/anatomy.ts';
import type { Calibration, Half, Moments, Observed, Tap, Walk } from '../../calibration/calibration.ts';
import { fail, sentence, throwIfCancelled } from '../../errors.ts';
import { floatsOf } from '../../kernels/floats.ts';
import { elementCount } from '../../tensor/tensor.ts';
import { normAsItIs } from '../as-it-is.ts';
import { computed } from '../computed.ts';
import type { Edit, FactorEdit, PassContext, Skipped } from '../pass.ts';
import { isShared } from '../quantize/gptq/replaced.ts';
import { like } from '../refit/matrix-of.ts';
import { fitNorm } from '../refit/norm-fit.ts';
import { ridge } from '../refit/ridge.ts';
import { sharedMoments } from '../refit/shared-moments.ts';
import { type Candidate, notLookedAt } from './candidates.ts';
import { type FactorValues, stored } from './factors.ts';
import { matrixOf } from './matrix.ts';
import { pauseOf } from './pause.ts';
import type { Ranked } from './plan.ts';
import { productFor } from './top-of.ts';
import { whiten } from './whiten.ts';

// O output, I input, T tokens.

/** How strongly a refit is held to the weights as they are, of the mean of the Gram's diagonal. */
export const SHARE = 1e-3;

export interface WhitenedPlan {
  readonly edits: readonly Edit[];
  readonly skipped: readonly Skipped[];
}

type Run = Pick<PassContext, 'progress' | 'signal' | 'model' | 'products'>;

/**
 * Factors layer after layer: each half sees what the factored ones below it give. The matrices that leave a half are first refitted
 * so that residual and output sum up to what the original's do; biases take up what the means lose; the norm behind is refitted.
 * What several layers share comes first, for what all of them read in the model as it is, and with nothing refitted but biases.
 */
export async function whitenedFactors(
  calibration: Calibration<Edit>,
  anatomy: Anatomy,
  all: readonly Ranked[],
  run: Run,
): Promise<WhitenedPlan> {
  const skipped: Skipped[] = [];
  const shared = await sharedFactors(calibration, anatomy, all, { ...run, skipped });
  const ranked = all.filter(({ layer }) => !isShared(layer, anatomy));
  for (const { linear, layer } of all)
    if (isShared(layer, anatomy) && !shared.has(linear)) skipped.push({ target: linear.id, reason: notLookedAt() });
  const edits: Edit[] = [...shared.values()].flat();
  if (ranked.length === 0) return { edits, skipped };
  const walk = await calibration.walk([], undefined, 'source');
  for (let done = 0; walk.at; done++) {
    throwIfCancelled(run.signal);
    const half = walk.at;
    const here = ranked.filter(each => isIn(half, each));
    run.progress?.(done / (2 * layersOf(ranked)), `encoder.layer.${half.layer}.${half.part}`);
    const made = await factorHalf({ ...run, calibration, walk, skipped }, here);
    edits.push(...made);
    if (!ranked.some(({ layer }) => layer.index > half.layer) && half.part === 'feed-forward') break;
    const { enters, leaves } = placesIn(anatomy.layers[anatomy.layers[half.layer]!.stored]!)[half.part];
    await walk.advance([...made, ...[...enters, ...leaves].flatMap(linear => shared.get(linear) ?? [])]);
  }
  return { edits, skipped };
}

/** By the matrix, the factors of those that several layers use. */
async function sharedFactors(
  calibration: Calibration<Edit>,
  anatomy: Anatomy,
  ranked: readonly Ranked[],
  run: Run & Pick<Site, 'skipped'>,
): Promise<ReadonlyMap<Linear, readonly Edit[]>> {
  const byLinear = new Map(ranked.map(each => [each.linear, each]));
  const found = new Map<Linear, readonly Edit[]>();
  for (const [linear, moments] of await sharedMoments(calibration, anatomy, it => byLinear.has(it), run.signal)) {
    throwIfCancelled(run.signal);
    const each = byLinear.get(linear)!;
    found.set(linear, [await factorAs(run, each, moments, await matrixOf(linear, run.signal))]);
  }
  return found;
}

const layersOf = (ranked: readonly Ranked[]): number => 1 + Math.max(0, ...ranked.map(({ layer }) => layer.index));

/** What enters and leaves the two halves of a layer. */
export const placesIn = ({ query, key, value, output, up, gate, down }: Layer) => ({
  attention: { enters: wholes(query, key, value), leaves: wholes(output) },
  'feed-forward': { enters: wholes(up, ...(gate ? [gate] : [])), leaves: wholes(down) },
});

const wholes = (...linears: readonly Linear[]): Linear[] => [...new Set(linears.map(linear => linear.within ?? linear))];

export function isIn({ layer: at, part }: Half, { layer, linear }: Candidate): boolean {
  const { enters, leaves } = placesIn(layer)[part];
  return layer.index === at && [...enters, ...leaves].includes(linear);
}

interface Site extends Run {
  readonly calibration: Calibration<Edit>;
  readonly walk: Walk<Edit>;
  readonly skipped: Skipped[];
}

async function factorHalf(site: Site, here: readonly Ranked[]): Promise<Edit[]> {
  const [first] = here;
  if (!first) return [];
  const { walk, signal } = site;
  const { layer } = first;
  const { part } = walk.at!;
  const { leaves } = placesIn(layer)[part];
  const edits: Edit[] = [];
  const entering = here.filter(({ linear }) => !leaves.includes(linear));
  if (entering.length > 0) edits.push(...(await factorEntering(site, entering)));
  for (const each of here) if (leaves.includes(each.linear)) edits.push(await factorLeaving(site, each, edits));
  const norm: Norm = part === 'attention' ? layer.attentionNorm : layer.outputNorm;
  const refitted = await fitNorm(walk, norm, edits, 'output', signal);
  return [...edits, ...(refitted ? [refitted] : normAsItIs(norm))];
}

/** Query, key and value read the same, and so do up and gate. */
async function factorEntering(site: Site, entering: readonly Ranked[]): Promise<FactorEdit[]> {
  const { calibration, walk, signal } = site;
  const tap: Tap = `${entering[0]!.linear.id}:in`;
  const moments = calibration.moments(entering[0]!.linear.in);
  await walk.observe('current', [tap], [], batch => moments.add(batch.get(tap)));
  const edits: FactorEdit[] = [];
  for (const each of entering) edits.push(await factorAs(site, each, moments, await matrixOf(each.linear, signal)));
  return edits;
}

async function factorLeaving(site: Site, ranked: Ranked, edits: readonly Edit[]): Promise<FactorEdit> {
  const { calibration, walk, signal } = site;
  const { linear } = ranked;
  const [entering, given]: Tap[] = [`${linear.id}:in`, `${linear.id}:out`];
  const moments = calibration.moments(linear.in, linear.out);
  await walk.observeBoth({ original: ['input', given!], current: ['input', entering!] }, edits, (original, current) =>
    moments.add(current.get(entering!), target(original, current, given!)),
  );
  const weight_OI = await matrixOf(linear, signal);
  const hasBias = linear.bias !== undefined;
  const gram_II = hasBias ? moments.covarianceXX() : moments.secondMomentXX();
  const cross_IO = hasBias ? moments.covarianceXY() : aboutZero(moments, linear);
  const refitted_OI = ridge(gram_II, cross_IO, weight_OI, linear.out, linear.in, SHARE);
  if (!refitted_OI) throw notFinite(linear.id, site.model.name);
  return factorAs(site, ranked, moments, refitted_OI, moments.meanY());
}

/** What the matrix must give so that the residual sum is the original's. */
function target(original: Observed, current: Observed, given: Tap): Float32Array {
  const [before, now] = [original.get('input'), current.get('input')];
  return original.get(given).map((value, i) => value + before[i]! - now[i]!);
}

function aboutZero(moments: Moments, { in: width, out }: Linear): Float64Array {
  const [cross_IO, x_I, y_O] = [moments.covarianceXY(), moments.meanX(), moments.meanY()];
  for (let i = 0; i < width; i++) for (let o = 0; o < out; o++) cross_IO[i * out + o]! += x_I[i]! * y_O[o]!;
  return cross_IO;
}

/** The factors of a weight for the inputs of these moments, and the bias that gives the mean `mean_O`, or the one it gave. */
async function factorAs(
  { skipped, model, products, signal }: Run & Pick<Site, 'skipped'>,
  { linear, rank }: Ranked,
  moments: Moments,
  weight_OI: Float32Array,
  mean_O?: Float64Array,
): Promise<FactorEdit> {
  const { id, bias, out, in: width, weight } = linear;
  const gram_II = bias ? moments.covarianceXX() : moments.secondMomentXX();
  const product = await productFor(linear, products);
  const made = await whiten(weight_OI, gram_II, out, width, rank, pauseOf(signal), product);
  if (!made) throw notFinite(id, model.name);
  if (moments.count <= width) skipped.push({ target: id, reason: fewTokens(moments.count, width, made.damping) });
  const edit: FactorEdit = {
    kind: 'factor',
    target: linear,
    first: inMemory('first', weight.dtype, [rank, width], made.first),
    second: inMemory('second', weight.dtype, [out, rank], made.second),
  };
  if (!bias) return edit;
  const x_I = moments.meanX();
  const before = Float64Array.from(await floatsOf(bias, 0, elementCount(bias.shape), signal));
  const y_O = mean_O ?? plus(timesVector(weight_OI, x_I, out), before);
  const lost = timesFactors(made, x_I, out, rank);
  return {
    ...edit,
    bias: like(
      bias,
      Float32Array.from(y_O, (value, o) => value - lost[o]!),
    ),
  };
}

const fewTokens = (tokens: number, width: number, damping: number) =>
  sentence('Factored, but the text has {tokens} tokens and it reads {width} channels: what they say is damped by {damping}.', {
    tokens,
    width,
    damping,
  });

export const notFinite = (id: string, file: string) =>
  fail('unsupported', 'What {id} reads on the calibration text holds NaN or infinity.', { id }, { file });

export const inMemory = (name: string, dtype: Linear['weight']['dtype'], shape: readonly number[], values: Float32Array) => {
  const bytes = stored(values, dtype);
  return computed(name, dtype, shape, async (start, end) => bytes.subarray(start, end));
};

export function timesVector(matrix: Float32Array, x: ArrayLike<number>, rows: number): Float64Array {
  const y = new Float64Array(rows);
  const width = matrix.length / rows;
  for (let r = 0; r < rows; r++) for (let i = 0; i < width; i++) y[r]! += matrix[r * width + i]! * x[i]!;
  return y;
}

const timesFactors = ({ first, second }: FactorValues, x: ArrayLike<number>, out: number, rank: number): Float64Array =>
  timesVector(second, timesVector(first, x, rank), out);

const plus = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value + b[i]!);
