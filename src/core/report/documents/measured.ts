import { type Sentence, sentence } from '../../errors.ts';
import { cosine, count, decimals, milliseconds, percent } from './figures.ts';
import type { Voice } from './voice.ts';

/** What was measured of one model. Points of 100 in metrics. */
interface MeasuredSide {
  readonly metrics: readonly { readonly name: string; readonly value: number | null; readonly count: number }[];
  readonly latency: { readonly medianMs: number; readonly threads: number; readonly batch: number; readonly length: number };
  readonly loadMs: number;
}

/** What a document says of an evaluation: the second model of a comparison, held against the first. */
export interface Measurement extends MeasuredSide {
  readonly task: string;
  readonly drift: {
    readonly cosineMean: number | null;
    readonly cosineMin: number | null;
    readonly agreement: number | null;
    readonly kl: number | null;
    readonly count: number;
  } | null;
  readonly peakBytes: number;
  readonly runtime: string;
  readonly against: MeasuredSide | null;
  readonly worst: readonly {
    readonly text: string;
    readonly cosine: number | null;
    readonly before: number | null;
    readonly after: number | null;
  }[];
  readonly layers?: readonly {
    readonly id: string;
    readonly measure: 'cosine' | 'cka';
    readonly mean: number | null;
    readonly min: number | null;
  }[];
  readonly notes: readonly Sentence[];
}

/** One line of the table of totals: title, before, after, change, percent. */
export type MeasuredRow = readonly [title: string, before: string, after: string, change: string, percent: string];

/** What was measured as rows under size and parameters; without a measurement they say so. */
export function measuredRows(measured: Measurement | null | undefined, { say, locale }: Voice): readonly MeasuredRow[] {
  const not = say(sentence('Not measured'));
  if (!measured) return [say(sentence('Quality')), say(sentence('Speed'))].map(title => [title, not, not, '', ''] as const);
  const { drift, against, latency } = measured;
  const rows: MeasuredRow[] = measured.metrics.map(({ name, value }) => {
    const before = against?.metrics.find(it => it.name === name)?.value;
    const points = (it: number | null | undefined): string => (typeof it === 'number' ? decimals(it, 2, locale) : '–');
    const change = typeof before === 'number' && typeof value === 'number' ? signed(value - before, locale) : '';
    return [metricTitle(name), points(before), points(value), change, ''];
  });
  const one = (title: Sentence, value: string): void => void rows.push([say(title), '', value, '', '']);
  if (typeof drift?.cosineMean === 'number') one(sentence('Cosine to the original, mean'), cosine(drift.cosineMean, locale));
  if (typeof drift?.cosineMin === 'number') one(sentence('Cosine to the original, worst'), cosine(drift.cosineMin, locale));
  if (typeof drift?.agreement === 'number') one(sentence('Same predictions'), percent(drift.agreement, locale));
  rows.push([
    say(sentence('Speed')),
    against ? milliseconds(against.latency.medianMs, locale) : '–',
    milliseconds(latency.medianMs, locale),
    against ? ratio(against.latency.medianMs / latency.medianMs, { say, locale }) : '',
    '',
  ]);
  rows.push([
    say(sentence('Load time')),
    against ? milliseconds(against.loadMs, locale) : '–',
    milliseconds(measured.loadMs, locale),
    '',
    '',
  ]);
  return rows;
}

/** "1.44 × faster" or "1.20 × slower". */
export function ratio(times: number, { say, locale }: Voice): string {
  if (!Number.isFinite(times) || times <= 0) return '';
  if (times >= 1) return say(sentence('{x} × faster', { x: decimals(times, 2, locale) }));
  return say(sentence('{x} × slower', { x: decimals(1 / times, 2, locale) }));
}

/** What it was measured on and with: every figure belongs to these. */
export function measuredOn({ task, drift, latency, runtime, metrics }: Measurement, { say }: Voice): string {
  return say(
    sentence(
      'Measured on {task}, {count} texts. Speed: {batch} × {length} tokens, {threads} threads, {runtime}, median of both models in turn.',
      {
        task,
        count: drift?.count ?? metrics[0]?.count ?? 0,
        batch: latency.batch,
        length: latency.length,
        threads: latency.threads,
        runtime,
      },
    ),
  );
}

/** "encoder.layer.3" as "Layer 3". */
export function layerTitle(id: string, { say }: Voice): string {
  const layer = /^encoder\.layer\.(\d+)$/.exec(id)?.[1];
  if (layer !== undefined) return say(sentence('Layer {n}', { n: layer }));
  return id === 'embeddings' ? say(sentence('Embeddings')) : id;
}

/** The name of a metric stands in the papers as it is; only its first letter is raised. */
const metricTitle = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

export const cosineOrDash = (value: number | null, locale: string): string => (value === null ? '–' : cosine(value, locale));
export const classOrDash = (value: number | null, locale: string): string => (value === null ? '–' : count(value, locale));

const signed = (difference: number, locale: string): string =>
  difference === 0 ? '0' : `${difference < 0 ? '\u2212' : '+'}${decimals(Math.abs(difference), 2, locale)}`;
