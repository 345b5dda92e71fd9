/** The ends a drift axis may begin at, the first that holds everything. */
const ends = [0.99, 0.95, 0.9, 0.5, 0] as const;

export interface DriftPoint {
  readonly mean: number | null;
  readonly min: number | null;
}

/** Where the axis of a drift chart begins: it ends at 1. Cosines below 0 lie on its lower edge. */
export function driftFloor(points: readonly DriftPoint[]): number {
  const least = Math.min(1, ...points.flatMap(({ mean, min }) => [mean ?? 1, min ?? 1]));
  return ends.find(end => least >= end) ?? 0;
}

/** Share of the height, 0 at the floor and 1 at the top. */
export const driftHeight = (value: number, floor: number): number => Math.min(1, Math.max(0, (value - floor) / (1 - floor)));

/** Three ticks: floor, middle, 1. */
export const driftTicks = (floor: number): readonly number[] => [1, (1 + floor) / 2, floor];
