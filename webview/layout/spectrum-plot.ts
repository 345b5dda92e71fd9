import type { Spectrum } from '../../src/core/report/redundancy.ts';

// Where the lines of a spectrum go. Shares are 0 to 1, places are CSS pixels.

export interface Place {
  readonly layer: number;
  /** Within its layer: "attention.self.query". */
  readonly role: string;
}

/** The layer a matrix belongs to, and which of its matrices it is; undefined outside layers. */
export function placeOf(id: string): Place | undefined {
  const found = /^encoder\.layer\.(\d+)\.(.+)$/.exec(id);
  return found ? { layer: Number(found[1]), role: found[2]! } : undefined;
}

export interface Multiples {
  readonly layers: readonly number[];
  readonly roles: readonly string[];
  readonly at: (layer: number, role: string) => Spectrum | undefined;
  /** Outside layers: embeddings, pooler, task heads. */
  readonly others: readonly Spectrum[];
}

/** Spectra as rows of layers and columns of roles, both in the order of the model. */
export function multiplesOf(spectra: readonly Spectrum[]): Multiples {
  const cells = new Map<string, Spectrum>();
  const [layers, roles] = [new Set<number>(), new Set<string>()];
  const others: Spectrum[] = [];
  for (const spectrum of spectra) {
    const place = placeOf(spectrum.id);
    if (!place) others.push(spectrum);
    else {
      layers.add(place.layer);
      roles.add(place.role);
      cells.set(`${place.layer} ${place.role}`, spectrum);
    }
  }
  return {
    layers: [...layers].sort((a, b) => a - b),
    roles: [...roles],
    at: (layer, role) => cells.get(`${layer} ${role}`),
    others,
  };
}

export const fullRank = ({ out, in: width }: Spectrum): number => Math.min(out, width);

/** Decades below the largest singular value that a log scale shows, at most: what is smaller is rounding. */
const MOST_DECADES = 8;

/** Where the log scale ends: whole powers of ten under the largest value. */
export function decadesOf({ values }: Spectrum): number {
  const most = values[0] ?? 0;
  const least = values.reduce((low, value) => (value > most * 10 ** -MOST_DECADES ? Math.min(low, value) : low), most);
  return most > 0 ? Math.max(1, Math.ceil(Math.log10(most / least))) : 1;
}

/** Heights of the singular values, 0 to 1: as shares of the largest, or by their powers of ten. */
export function heightsOf(spectrum: Spectrum, log: boolean): number[] {
  const most = spectrum.values[0] ?? 0;
  if (most <= 0) return spectrum.values.map(() => 0);
  if (!log) return spectrum.values.map(value => value / most);
  const decades = decadesOf(spectrum);
  return spectrum.values.map(value => (value > 0 ? Math.max(0, 1 + Math.log10(value / most) / decades) : 0));
}

/** Corners of a line through (rank, height), for an svg of that size. The first corner is that of rank 1, or of nothing kept. */
export function lineOf(
  { ranks }: Spectrum,
  heights: readonly number[],
  full: number,
  width: number,
  height: number,
  fromZero: boolean,
): string {
  const corners = heights.map((each, at) => `${((width * ranks[at]!) / full).toFixed(1)},${(height * (1 - each)).toFixed(1)}`);
  return [...(fromZero ? [`0,${height}`] : []), ...corners].join(' ');
}

/** The point that is nearest to a rank. */
export function nearest({ ranks }: Spectrum, rank: number): number {
  let best = 0;
  for (const [at, each] of ranks.entries()) if (Math.abs(each - rank) < Math.abs(ranks[best]! - rank)) best = at;
  return best;
}

/** Rows of labels that do not run into each other: for each place the row it stands in, 0 the lowest; places ascend. */
export function labelRows(places: readonly number[], widthOf: (at: number) => number): number[] {
  const ends: number[] = [];
  return places.map((place, at) => {
    const half = widthOf(at) / 2;
    let row = ends.findIndex(end => end <= place - half);
    if (row < 0) row = ends.length;
    ends[row] = place + half;
    return row;
  });
}

/** Round ranks along the axis, 0 and the full rank among them, at least `apart` pixels from each other. */
export function rankTicks(full: number, width: number, apart = 44): number[] {
  const most = Math.max(1, Math.floor(width / apart));
  const step =
    [1, 2, 5]
      .flatMap(digit => [0, 1, 2, 3, 4].map(power => digit * 10 ** power))
      .sort((a, b) => a - b)
      .find(step => full / step <= most) ?? full;
  const ticks: number[] = [];
  for (let tick = 0; tick <= full; tick += step) if ((full - tick) * width >= full * apart * 0.7) ticks.push(tick);
  return [...ticks, full];
}

/** Share of its parameters that a matrix takes as two thin ones of so many ranks. */
export const thinShare = ({ out, in: width }: Spectrum, rank: number): number => (rank * (out + width)) / (out * width);

/** The same matrix of every layer; undefined outside layers, and where there is but one. */
export function alikeOf(
  spectra: readonly Spectrum[],
  { id }: Spectrum,
): { readonly role: string; readonly ids: readonly string[] } | undefined {
  const role = placeOf(id)?.role;
  const ids = spectra.filter(each => role !== undefined && placeOf(each.id)?.role === role).map(each => each.id);
  return role !== undefined && ids.length > 1 ? { role, ids } : undefined;
}

/** Patterns that name the matrices of one role and no others: "output.dense" is also the end of "attention.output.dense". */
export function includeOf(spectra: readonly Spectrum[], role: string): readonly string[] {
  const ids = spectra.map(({ id }) => id);
  const wanted = ids.filter(id => placeOf(id)?.role === role);
  const matched = ids.filter(id => id.startsWith('encoder.layer.') && id.endsWith(`.${role}`));
  return matched.length === wanted.length ? [`encoder.layer.*.${role}`] : wanted;
}
