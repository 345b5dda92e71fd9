import type { SensitivityRow } from '../../src/protocol/messages.ts';

// Parts as rows of layers and columns of their matrices; what stands outside layers, or is a whole layer, has a row of its own.

export interface ChartLine {
  readonly key: string;
  readonly layer?: number;
  /** In the order of the columns; one alone where it goes over all of them. */
  readonly cells: readonly (SensitivityRow | undefined)[];
  readonly isWide: boolean;
}

export interface SensitivityChart {
  /** Ends of ids, "attention.self.query", in the order of the model. */
  readonly organs: readonly string[];
  readonly lines: readonly ChartLine[];
  /** Of the drifts above zero; NaN where there is none. */
  readonly least: number;
  readonly most: number;
}

/** Drifts this many powers of ten under the largest look all the same. */
const decades = 4;

export function chartOf(rows: readonly SensitivityRow[]): SensitivityChart {
  const isMatrix = ({ layer, organ }: SensitivityRow): boolean => layer !== undefined && organ !== 'layer';
  const organs = [...new Set(rows.filter(isMatrix).map(({ organ }) => organ))];
  const lines: ChartLine[] = [];
  const done = new Set<number>();
  for (const row of rows) {
    if (!isMatrix(row)) {
      lines.push({ key: row.id, cells: [row], isWide: true, ...(row.layer !== undefined && { layer: row.layer }) });
      continue;
    }
    const layer = row.layer!;
    if (done.has(layer)) continue;
    done.add(layer);
    const inLayer = rows.filter(each => isMatrix(each) && each.layer === layer);
    const cells = organs.map(organ => inLayer.find(each => each.organ === organ));
    lines.push({ key: `encoder.layer.${layer}`, layer, cells, isWide: false });
  }
  const drifts = rows.flatMap(({ drift }) => (drift !== null && drift > 0 ? [drift] : []));
  const most = drifts.length > 0 ? Math.max(...drifts) : Number.NaN;
  return { organs, lines, most, least: Math.max(most / 10 ** decades, Math.min(...drifts)) };
}

/** Where a drift stands between the smallest and the largest, 0 to 1, by powers of ten. */
export function levelOf(drift: number, { least, most }: Pick<SensitivityChart, 'least' | 'most'>): number {
  if (!(drift > 0)) return 0;
  if (!(most > least)) return 1;
  return Math.min(1, Math.max(0, Math.log(drift / least) / Math.log(most / least)));
}

/** Patterns that name one kind of matrix in all layers and nothing else. */
export function columnGlobs(rows: readonly SensitivityRow[], organ: string): readonly string[] {
  const own = rows.filter(each => each.layer !== undefined && each.organ === organ);
  // "output.dense" is also the end of "attention.output.dense".
  const ending = rows.filter(({ id }) => id.startsWith('encoder.layer.') && id.endsWith(`.${organ}`));
  return ending.length === own.length ? [`encoder.layer.*.${organ}`] : own.flatMap(({ globs }) => globs);
}

/** The power of ten that cells are multiples of: the largest has one digit before the point. */
export const unitOf = ({ most }: Pick<SensitivityChart, 'most'>): number => (most > 0 ? Math.floor(Math.log10(most)) : 0);
