import type { Edit, PassContext } from '../../pass.ts';
import type { Site } from '../sites.ts';

export interface TimedShape {
  readonly batch: number;
  readonly length: number;
}

/** How much time it saves that `count` units of a site go, as a share of the model's; and what a cut of all sites takes. */
export interface Times {
  gain(site: Site, count: number): number;
  /** The time of a model with so many units gone from each site, as a share of the original's, measured. */
  measure(counts: ReadonlyMap<Site, number>): Promise<number>;
}

/** Shares of the units of all sites of one shape that are cut together and timed; straight lines lie between them. */
const timed = [1 / 3, 2 / 3];

/** A small model of time: measured for heads and for neurons, once for all layers of one size. Weights do not matter to it. */
export async function timesOf(
  sites: readonly Site[],
  latency: NonNullable<PassContext['latency']>,
  shape: TimedShape,
  { progress }: Pick<PassContext, 'progress'>,
): Promise<Times> {
  const measure = async (counts: ReadonlyMap<Site, number>): Promise<number> => {
    const edits: Edit[] = [];
    for (const [site, count] of counts) if (count > 0) edits.push(site.removal(Array.from({ length: count }, (_, unit) => unit)));
    const { ms, originalMs } = await latency(edits, shape);
    return ms / originalMs;
  };
  const sizes = new Map<string, Site[]>();
  for (const site of sites) {
    const size = [site.part, site.units, site.width, site.linear.out].join(' ');
    sizes.set(size, [...(sizes.get(size) ?? []), site]);
  }
  const lines = new Map<Site, readonly (readonly [number, number])[]>();
  let done = 0;
  for (const [size, alike] of sizes) {
    const points: [number, number][] = [[0, 0]];
    for (const share of timed) {
      progress?.(done++ / (sizes.size * timed.length), size);
      const count = Math.min(alike[0]!.units - 1, Math.round(share * alike[0]!.units));
      if (count <= points.at(-1)![0]) continue;
      const saved = (1 - (await measure(new Map(alike.map(site => [site, count]))))) / alike.length;
      points.push([count, Math.max(saved, points.at(-1)![1])]);
    }
    for (const site of alike) lines.set(site, points);
  }
  return { measure, gain: (site, count) => alongLine(lines.get(site)!, count) };
}

/** Straight between the points, and on behind the last. */
export function alongLine(points: readonly (readonly [number, number])[], x: number): number {
  if (points.length < 2) return 0;
  const behind = points.findIndex(([at]) => at >= x);
  const upper = behind < 0 ? points.length - 1 : Math.max(1, behind);
  const [[x0, y0], [x1, y1]] = [points[upper - 1]!, points[upper]!];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
