import type { ValueRun } from './value-runs.ts';

/** Of the finite values of a tensor, or of some of them. */
export interface Moments {
  readonly finite: number;
  readonly zeros: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Standard deviation of the population. */
  readonly std: number;
}

export const noMoments: Moments = { finite: 0, zeros: 0, min: Infinity, max: -Infinity, mean: 0, std: 0 };

/** Squares around a centre that lies further off than so many standard deviations lose digits that matter. */
const FAR = 4;

/** Of one run, around `near`, the mean so far, or else its first finite value; once more around its own mean where that is far off. */
export function momentsOfRun(run: ValueRun, near: number | undefined): Moments {
  const known = run.unit === 1 ? near : undefined;
  const first = run.centre(known ?? run.firstFinite() ?? 0);
  const found = around(run, first);
  const own = run.centre(found.mean);
  return found.finite > 0 && Math.abs(found.mean - first) > FAR * found.std && own !== first
    ? inValues(around(run, own), run.unit)
    : inValues(found, run.unit);
}

/** Mean and deviation in the run's unit. */
function around(run: ValueRun, centre: number): Moments {
  const { finite, zeros, min, max, sum, squares } = run.moments(centre);
  if (finite === 0) return noMoments;
  const offset = sum / finite;
  const std = Math.sqrt(Math.max(0, squares / finite - offset * offset));
  return { finite, zeros, min: min + 0, max: max + 0, mean: centre + offset, std }; // -0 + 0 is 0
}

const inValues = (moments: Moments, unit: number): Moments => ({
  ...moments,
  mean: moments.mean / unit,
  std: moments.std / unit,
});

/** Of both together (Chan, Golub, LeVeque 1979), by standard deviations and shares, which do not overflow. */
export function together(a: Moments, b: Moments): Moments {
  if (a.finite === 0) return b;
  if (b.finite === 0) return a;
  const finite = a.finite + b.finite;
  const [shareA, shareB] = [a.finite / finite, b.finite / finite];
  const apart = 2 * Math.sqrt(shareA * shareB) * (b.mean / 2 - a.mean / 2);
  return {
    finite,
    zeros: a.zeros + b.zeros,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    mean: a.mean === b.mean ? a.mean : a.mean * shareA + b.mean * shareB,
    std: Math.hypot(a.std * Math.sqrt(shareA), b.std * Math.sqrt(shareB), apart),
  };
}
