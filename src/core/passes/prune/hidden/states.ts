import type { Norm } from '../../../anatomy/anatomy.ts';
import type { Calibration, Moments } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import { vectorOf } from '../matrix.ts';
import type { States } from './subspace.ts';

/** Mean and second moment of the normalized hidden states at each norm, the embeddings' first: one run of the model over the text. */
export async function* statesOf(
  calibration: Calibration<Edit>,
  norms: readonly Norm[],
  texts: number | undefined,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): AsyncGenerator<States> {
  const walk = await calibration.walk([], texts);
  for (const [at, norm] of norms.slice(0, -1).entries()) {
    throwIfCancelled(signal);
    progress?.(at / norms.length, norm.id);
    const isLast = at === norms.length - 2;
    const entering = await normalizing(calibration, norm);
    const leaving = await normalizing(calibration, norms[at + 1]!);
    await walk.observe('original', isLast ? ['input', 'output'] : ['input'], [], async batch => {
      await entering.add(batch.get('input'));
      if (isLast) await leaving.add(batch.get('output'));
    });
    yield entering.states();
    if (isLast) yield leaving.states();
    else await walk.advance([]);
  }
}

/** Takes a norm's gain and bias from what it gives. A channel without gain says nothing of what it was: nobody reads it. */
async function normalizing(calibration: Calibration<Edit>, { weight, bias }: Norm) {
  const [gain_H, bias_H] = [await vectorOf(weight!), await vectorOf(bias!)];
  const wide = gain_H.length;
  const inverse_H = gain_H.map(gain => (Math.abs(gain) > 1e-6 ? 1 / gain : 0));
  const moments: Moments = calibration.moments(wide);
  return {
    add: (rows: Float32Array) => moments.add(rows.map((value, at) => (value - bias_H[at % wide]!) * inverse_H[at % wide]!)),
    states: (): States => ({ mean_H: moments.meanX(), second_HH: moments.secondMomentXX() }),
  };
}
