import type { Linear } from '../../anatomy/anatomy.ts';
import type { Calibration, Moments, Tap } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import type { Edit, FactorEdit, PassContext } from '../pass.ts';
import type { Candidate } from './candidates.ts';
import { matrixOf } from './matrix.ts';
import { pauseOf } from './pause.ts';
import { rankOf } from './ranks.ts';
import type { Spending } from './spend.ts';
import { productFor } from './top-of.ts';
import { whiten } from './whiten.ts';
import { inMemory, isIn, notFinite, placesIn } from './whitened.ts';

/** Texts of which the second moments of inputs are taken. */
const MOMENT_TEXTS = 512;

/** Texts on which the whole model is run once for each matrix. */
const TEXTS = 192;

type Run = Pick<PassContext, 'progress' | 'signal' | 'model' | 'products'>;

/**
 * What the model's own vectors lose when each matrix alone is factored at the rank that a ratio gives it: 1 - cosine, as a mean over
 * texts. An error of a layer says little about the error of the model.
 */
export async function measuredLosses(
  calibration: Calibration<Edit>,
  candidates: readonly Candidate[],
  ratio: number,
  run: Run,
): Promise<Map<Candidate, Spending>> {
  const found = new Map<Candidate, Spending>();
  const original = await calibration.vectors([], TEXTS);
  const walk = await calibration.walk([], MOMENT_TEXTS);
  while (walk.at && found.size < candidates.length) {
    const half = walk.at;
    const here = candidates.filter(each => isIn(half, each));
    const { enters } = here.length > 0 ? placesIn(here[0]!.layer)[half.part] : { enters: [] as Linear[] };
    let shared: Moments | undefined;
    for (const candidate of here) {
      throwIfCancelled(run.signal);
      const { linear } = candidate;
      run.progress?.((0.5 * found.size) / candidates.length, linear.id);
      const isEntering = enters.includes(linear);
      const moments = (isEntering ? shared : undefined) ?? calibration.moments(linear.in);
      const tap: Tap = `${linear.id}:in`;
      if (moments.count === 0) await walk.observe('original', [tap], [], batch => moments.add(batch.get(tap)));
      if (isEntering) shared = moments;
      const rank = rankOf(ratio, linear);
      const gram_II = moments.secondMomentXX();
      const [weight_OI, product] = [await matrixOf(linear, run.signal), await productFor(linear, run.products)];
      const made = await whiten(weight_OI, gram_II, linear.out, linear.in, rank, pauseOf(run.signal), product);
      if (!made) throw notFinite(linear.id, run.model.name);
      const edit: FactorEdit = {
        kind: 'factor',
        target: linear,
        first: inMemory('first', linear.weight.dtype, [rank, linear.in], made.first),
        second: inMemory('second', linear.weight.dtype, [linear.out, rank], made.second),
      };
      const changed = await calibration.vectors([edit], TEXTS);
      const lost = made.values.slice(rank).reduce((sum, value) => sum + value * value, 0);
      found.set(candidate, { linear, values: made.values, loss: distance(original, changed) / (lost || 1) });
    }
    await walk.advance([]);
  }
  return found;
}

type Vectors = Awaited<ReturnType<Calibration<Edit>['vectors']>>;

/** 1 - cosine, as a mean over texts. */
function distance({ pooled: a, width }: Vectors, { pooled: b }: Vectors): number {
  let sum = 0;
  for (let row = 0; row < a.length; row += width) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = row; i < row + width; i++) {
      ab += a[i]! * b[i]!;
      aa += a[i]! * a[i]!;
      bb += b[i]! * b[i]!;
    }
    sum += 1 - ab / Math.sqrt(aa * bb || 1);
  }
  return (sum * width) / Math.max(1, a.length);
}
