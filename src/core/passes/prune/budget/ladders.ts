import type { Site } from '../sites.ts';

/** How many units of a site may go, ascending from 0, and what each saves. */
export interface Ladder {
  readonly counts: readonly number[];
  readonly gains: readonly number[];
}

/** Widths that kernels work on without a rest, where a layer is wide enough for it to be a small step. */
const multiple = 32;

const stepOf = ({ width, units }: Site): number =>
  width === 1 && units >= 16 * multiple && units % multiple === 0 ? multiple : 1;

/** One unit stays at least; neurons of a wide layer go by 32. `gain` is what so many of a site save. */
export function ladderOf(site: Site, gain: (count: number) => number): Ladder {
  const step = stepOf(site);
  const counts = Array.from({ length: Math.ceil(site.units / step) }, (_, k) => k * step);
  return { counts, gains: counts.map(gain) };
}
