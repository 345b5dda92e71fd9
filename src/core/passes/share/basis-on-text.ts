import { type Layer, type Linear, matricesIn } from '../../anatomy/anatomy.ts';
import type { Calibration, Half, Moments, Observed, Stream, Tap, Walk } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import { products } from '../../kernels/linear-algebra/product.ts';
import { normAsItIs } from '../as-it-is.ts';
import { matrixOf } from '../factorize/matrix.ts';
import { pauseOf } from '../factorize/pause.ts';
import { whiten } from '../factorize/whiten.ts';
import { inMemory, notFinite, placesIn, timesVector } from '../factorize/whitened.ts';
import type { Edit, FactorEdit, PassContext } from '../pass.ts';
import { productWith } from '../prune/product-with.ts';
import { like } from '../refit/matrix-of.ts';
import { fitNorm } from '../refit/norm-fit.ts';
import { ridge } from '../refit/ridge.ts';
import { basisRank } from './basis.ts';

// L layers of a group, O out, I in, R rank.

/** Texts of which the second moments of inputs are taken. */
const MOMENT_TEXTS = 512;

/** How strongly outer factors are held to what they are, as a share of the mean variance of what they read. */
const STRENGTH = 1e-3;

/** The inner factor that the matrices of a group share, and what each has of its own. */
interface Basis {
  readonly rank: number;
  readonly first_RI: Float32Array;
  readonly first: FactorEdit['first'];
  readonly seconds: ReadonlyMap<Linear, Float32Array>;
}

type Run = Pick<PassContext, 'progress' | 'signal' | 'model'>;

/**
 * Groups of layers whose matrices share an inner factor: the best for what they read, all layers of a group taken together. Then, from
 * below, each layer's outer factors and biases are refitted on what reaches them by now to give what the original gave, and so are the
 * norms. Matrices that would not get smaller stay.
 * source  Wang et al., Basis Sharing, ICLR 2025: singular values of all matrices of a group, whitened by their inputs
 */
export async function basisOnText(
  calibration: Calibration<Edit>,
  groups: readonly (readonly Layer[])[],
  ratio: number,
  run: Run,
): Promise<Edit[]> {
  const bases = await basesOf(calibration, groups, ratio, run);
  const walk = await calibration.walk([], undefined, 'source');
  const members = new Map(groups.flat().map(layer => [layer.index, layer]));
  const made: Edit[] = [];
  while (walk.at) {
    throwIfCancelled(run.signal);
    const layer = members.get(walk.at.layer);
    const edits = layer ? await refitHalf({ ...run, calibration, walk, bases }, layer, walk.at) : [];
    made.push(...edits);
    await walk.advance(edits);
  }
  return made;
}

/** The basis of each matrix of a group. The sums of one group's inputs are held at a time where groups do not interleave. */
async function basesOf(
  calibration: Calibration<Edit>,
  groups: readonly (readonly Layer[])[],
  ratio: number,
  { progress, signal, model }: Run,
): Promise<ReadonlyMap<Linear, Basis>> {
  const bases = new Map<Linear, Basis>();
  const sums = new Map<Layer, Map<number, Float64Array>>();
  const walk = await calibration.walk([], MOMENT_TEXTS);
  const last = Math.max(...groups.flat().map(({ index }) => index));
  while (walk.at && walk.at.layer <= last) {
    const { layer: index, part } = walk.at;
    progress?.((0.5 * index) / (last + 1), `encoder.layer.${index}.${part}`);
    const group = groups.find(each => each.some(layer => layer.index === index));
    const layer = group?.find(each => each.index === index);
    if (group && layer) {
      const own = sums.get(group[0]!) ?? new Map<number, Float64Array>();
      sums.set(group[0]!, own);
      const { enters, leaves } = placesIn(layer)[part];
      for (const together of [enters, ...leaves.map(linear => [linear])]) {
        const moments = await seenBy(calibration, walk, together[0]!);
        const seen = together[0]!.bias ? moments.covarianceXX() : moments.secondMomentXX();
        for (const linear of together) {
          const place = matricesIn(layer).indexOf(linear);
          own.set(place, added(own.get(place), seen));
          if (layer === group.at(-1)) await settle(group, place, own.get(place)!);
        }
      }
    }
    await walk.advance([]);
  }
  return bases;

  async function settle(group: readonly Layer[], place: number, gram_II: Float64Array): Promise<void> {
    throwIfCancelled(signal);
    const linears = group.map(layer => matricesIn(layer)[place]!);
    const { out, in: width, id, weight } = linears[0]!;
    const rank = basisRank(linears, ratio);
    if (rank === undefined) return;
    const all = new Float32Array(linears.length * out * width);
    for (const [at, linear] of linears.entries()) all.set(await matrixOf(linear, signal), at * out * width);
    const whitened = await whiten(all, gram_II, linears.length * out, width, rank, pauseOf(signal));
    if (!whitened) throw notFinite(id, model.name);
    const { first: first_RI, second } = whitened;
    const first = inMemory('first', weight.dtype, [rank, width], first_RI);
    const seconds = new Map(linears.map((linear, at) => [linear, second.slice(at * out * rank, (at + 1) * out * rank)]));
    for (const linear of linears) bases.set(linear, { rank, first_RI, first, seconds });
  }
}

async function seenBy(calibration: Calibration<Edit>, walk: Walk<Edit>, { id, in: width }: Linear): Promise<Moments> {
  const tap: Tap = `${id}:in`;
  const moments = calibration.moments(width);
  await walk.observe('current', [tap], [], batch => moments.add(batch.get(tap)));
  return moments;
}

function added(sum: Float64Array | undefined, more: Float64Array): Float64Array {
  if (!sum) return more;
  for (let i = 0; i < sum.length; i++) sum[i]! += more[i]!;
  return sum;
}

interface Site extends Run {
  readonly calibration: Calibration<Edit>;
  readonly walk: Walk<Edit>;
  readonly bases: ReadonlyMap<Linear, Basis>;
}

async function refitHalf(site: Site, layer: Layer, { part }: Half): Promise<Edit[]> {
  const { enters, leaves } = placesIn(layer)[part];
  const edits: Edit[] = [];
  for (const linear of enters) edits.push(...(await refitted(site, linear, [], false)));
  for (const linear of leaves) edits.push(...(await refitted(site, linear, edits, true)));
  if (edits.length === 0) return [];
  const behind = part === 'attention' ? layer.attentionNorm : layer.outputNorm;
  const norm = await fitNorm(site.walk, behind, edits, 'output', site.signal);
  return [...edits, ...(norm ? [norm] : normAsItIs(behind))];
}

/** `leaves`: its output is added to what enters the half, and both together should be what they were. */
async function refitted(site: Site, linear: Linear, edits: readonly Edit[], leaves: boolean): Promise<FactorEdit[]> {
  const basis = site.bases.get(linear);
  if (!basis) return [];
  const { rank, first_RI, first, seconds } = basis;
  const { out, in: width, bias, weight } = linear;
  const { signal } = site;
  const pause = pauseOf(signal);
  const moments = await aimedAt(site, linear, edits, leaves);
  const [meanX, meanY] = [moments.meanX(), moments.meanY()];
  const second_II = bias ? moments.covarianceXX() : moments.secondMomentXX();
  const cross_IO = moments.covarianceXY();
  if (!bias) for (let i = 0; i < width; i++) for (let o = 0; o < out; o++) cross_IO[i * out + o]! += meanX[i]! * meanY[o]!;
  const inner = { values: first_RI, count: rank, vectorStride: width, elementStride: 1 };
  const columns = (values: Float64Array, count: number) => ({ values, count, vectorStride: 1, elementStride: count });
  const half_RI = await products(inner, columns(second_II, width), width, new Float64Array(rank * width), pause);
  const read_RR = await products({ ...inner, values: half_RI }, inner, width, new Float64Array(rank * rank), pause);
  const cross_RO = await products(inner, columns(cross_IO, out), width, new Float64Array(rank * out), pause);
  const own_OR = seconds.get(linear)!;
  const second_OR = ridge(read_RR, cross_RO, own_OR, out, rank, STRENGTH) ?? own_OR;
  const edit: FactorEdit = {
    kind: 'factor',
    target: linear,
    first,
    second: inMemory('second', weight.dtype, [out, rank], second_OR),
  };
  if (!bias) return [edit];
  const given = timesVector(second_OR, timesVector(first_RI, meanX, rank), out);
  const offset = Float32Array.from(meanY, (value, o) => value - given[o]!);
  return [{ ...edit, bias: like(bias, offset) }];
}

/** Moments of what a linear reads by now with what it should give. */
async function aimedAt(
  { calibration, walk, signal }: Site,
  linear: Linear,
  edits: readonly Edit[],
  leaves: boolean,
): Promise<Moments> {
  const [read, given]: Tap[] = [`${linear.id}:in`, `${linear.id}:out`];
  const isShown = walk.shows(given!, 'original');
  const multiply = isShown ? undefined : await productWith(linear, signal);
  const outputOf = async (original: Observed) => (multiply ? multiply(original.get(read!)) : original.get(given!));
  const moments = calibration.moments(linear.in, linear.out);
  const taps: Record<Stream, readonly Tap[]> = {
    original: [...(leaves ? (['input'] as const) : []), isShown ? given! : read!],
    current: [...(leaves ? (['input'] as const) : []), read!],
  };
  await walk.observeBoth(taps, edits, async (original, current) => {
    const wanted = Float32Array.from(await outputOf(original));
    if (leaves) {
      const [was, is] = [original.get('input'), current.get('input')];
      if (was.length === wanted.length) for (let i = 0; i < wanted.length; i++) wanted[i]! += was[i]! - is[i]!;
    }
    await moments.add(current.get(read!), wanted);
  });
  return moments;
}
