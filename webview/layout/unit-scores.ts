import type { LossCurve, Scores } from '../../src/core/report/scores.ts';

// Units by what they are worth: which go first, and what is lost with them.

export interface Unit {
  readonly layer: number;
  readonly unit: number;
  readonly score: number;
}

type Scored = Scores['layers'];

/** All units that may go, the lowest first, as the passes take them: never the last `least` of a layer. */
export function lowestFirst(layers: Scored, least = 1): Unit[] {
  const all = layers.flatMap(({ layer, scores }) => scores.map((score, unit) => ({ layer, unit, score })));
  all.sort((a, b) => a.score - b.score || a.layer - b.layer || a.unit - b.unit);
  const left = new Map(layers.map(({ layer, scores }) => [layer, scores.length]));
  return all.filter(({ layer }) => {
    if (left.get(layer)! <= least) return false;
    left.set(layer, left.get(layer)! - 1);
    return true;
  });
}

/** As an option of a pass names them. */
export function removeOf(units: readonly Unit[]): Record<string, number[]> {
  const remove: Record<string, number[]> = {};
  for (const { layer, unit } of units) {
    remove[layer] ??= [];
    remove[layer].push(unit);
  }
  for (const list of Object.values(remove)) list.sort((a, b) => a - b);
  return remove;
}

/** What is lost when a share of the units goes: between what was measured, and from nothing, along straight lines. */
export function lossAt({ fraction, drift }: LossCurve, at: number): number {
  let [from, lost] = [0, 0];
  for (const [place, to] of fraction.entries()) {
    const next = drift[place]!;
    if (at <= to) return lost + ((next - lost) * (at - from)) / (to - from || 1);
    [from, lost] = [to, next];
  }
  return lost;
}

/** Scores that lie further apart than this are drawn by their powers of ten. */
const mostLinear = 50;
/** Decades that a log scale shows: what is smaller lies at its foot. */
const mostDecades = 6;

export interface Scale {
  readonly log: boolean;
  readonly smallest: number;
  readonly largest: number;
  /** 0 to 1. */
  level(score: number): number;
}

export function scaleOf(scores: readonly number[]): Scale {
  let [smallest, least, largest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
  for (const score of scores) {
    if (score < smallest) smallest = score;
    if (score > 0 && score < least) least = score;
    if (score > largest) largest = score;
  }
  const log = largest > mostLinear * Math.max(smallest, largest * 1e-12);
  const foot = Math.max(least, largest / 10 ** mostDecades);
  const decades = Math.log10(largest / foot) || 1;
  const range = largest - smallest || 1;
  return {
    log,
    smallest,
    largest,
    level: score =>
      log ? Math.max(0, 1 - Math.log10(largest / Math.max(score, foot)) / decades) : largest > 0 ? (score - smallest) / range : 0,
  };
}

/** Corners of a line through sorted scores, for an svg of that size; at most one a pixel. */
export function sortedLine(sorted: readonly number[], scale: Scale, width: number, height: number): string {
  const points = Math.max(2, Math.min(sorted.length, Math.round(width)));
  return Array.from({ length: points }, (_, point) => {
    const at = Math.round((point / (points - 1)) * (sorted.length - 1));
    return `${((point / (points - 1)) * width).toFixed(1)},${(height * (1 - scale.level(sorted[at]!))).toFixed(1)}`;
  }).join(' ');
}
