import { type Sentence, sentence } from '../../errors.ts';
import type { Change, Comparison, ComparisonNode, Side } from '../comparison.ts';
import { countChanges, headChanges, leftAlone, namesOf, outline, worstRow } from './digest.ts';
import {
  byteChange,
  bytes,
  cosine,
  count,
  countChange,
  errorPercent,
  factor,
  milliseconds,
  percent,
  percentChange,
  seconds,
  shape,
} from './figures.ts';
import type { Made } from './made.ts';
import { classOrDash, cosineOrDash, layerTitle, type Measurement, measuredOn, measuredRows, ratio } from './measured.ts';
import { stylesheet } from './stylesheet.ts';
import { visible } from './untrusted.ts';
import { english, type Voice } from './voice.ts';

/** Rows of the table; a browser lays out ten thousand in about a second. */
const mostRows = 10_000;
const everyLevel = 64;

/** A comparison as one self-contained page without scripts or anything to fetch. Names from the files are untrusted and appear as text only. */
export function html(comparison: Comparison, made?: Made | null, measured?: Measurement | null, voice: Voice = english): string {
  const { before, after } = namesOf(comparison, made);
  const heading = `${name(before)} → ${name(after)}`;
  return [
    '<!doctype html>',
    `<html lang="${text(voice.locale)}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${text(visible(before))} → ${text(visible(after))}</title>`,
    `<style>${stylesheet}</style>`,
    '</head>',
    '<body>',
    `<h1>${heading}</h1>`,
    totals(comparison, measured, voice),
    measured ? `<p class="small muted">${text(measuredOn(measured, voice))}</p>` : '',
    summary(comparison, voice),
    measured ? movement(measured, voice) : '',
    table(comparison, voice),
    heads(comparison, voice),
    made ? howMade(made, voice) : '',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function totals({ totals: { before, after } }: Comparison, measured: Measurement | null | undefined, voice: Voice): string {
  const { say, locale } = voice;
  const from = (value: string): string => `<span class="muted">${text(say(sentence('from {before}', { before: value })))}</span>`;
  const smaller = factor(before.fileBytes, after.fileBytes, locale);
  const fileNote = [
    percentChange(before.fileBytes, after.fileBytes, locale),
    smaller && say(sentence('{x} × smaller', { x: smaller })),
  ];
  const parameterNote =
    before.parameters === after.parameters
      ? [say(sentence('no change'))]
      : [percentChange(before.parameters, after.parameters, locale), countChange(before.parameters, after.parameters, locale)];
  const number = (
    title: string,
    now: string,
    was: string,
    notes: (string | undefined)[],
    scale: readonly [number, number],
  ): string =>
    `<div><h3>${text(title)}</h3><div class="big">${text(now)} ${from(was)}</div><div class="small muted">${text(notes.filter(Boolean).join(' · '))}</div>${bar(...scale, Math.max(...scale))}</div>`;
  const unmeasured = (title: string, why: string): string =>
    `<div><h3>${text(title)}</h3><div class="big muted">${text(say(sentence('Not measured')))}</div><div class="small muted">${text(why)}</div></div>`;
  return `<section class="totals">${[
    number(say(sentence('File size')), bytes(after.fileBytes, locale), bytes(before.fileBytes, locale), fileNote, [
      before.fileBytes,
      after.fileBytes,
    ]),
    number(say(sentence('Parameters')), count(after.parameters, locale), count(before.parameters, locale), parameterNote, [
      before.parameters,
      after.parameters,
    ]),
    ...(measured
      ? measuredTotals(measured, voice)
      : [
          unmeasured(say(sentence('Quality')), say(sentence('Needs sentences, or a task with answers'))),
          unmeasured(say(sentence('Speed')), say(sentence('Needs a run of both models on this machine'))),
        ]),
  ].join('')}</section>`;
}

/** Quality and speed, as they were measured. */
function measuredTotals(measured: Measurement, voice: Voice): string[] {
  const { say, locale } = voice;
  const { drift, latency, against } = measured;
  const tile = (title: string, big: string, beside: string, note: string): string =>
    `<div><h3>${text(title)}</h3><div class="big">${text(big)} <span class="muted">${text(beside)}</span></div><div class="small muted">${text(note)}</div></div>`;
  const quality = [
    typeof drift?.cosineMin === 'number' && say(sentence('worst {cosine}', { cosine: cosineOrDash(drift.cosineMin, locale) })),
    typeof drift?.agreement === 'number' &&
      say(sentence('{share} same predictions', { share: percent(drift.agreement, locale) })),
    drift && say(sentence('{n} texts', { n: drift.count })),
  ];
  const speed = against && ratio(against.latency.medianMs / latency.medianMs, voice);
  const was = against ? say(sentence('from {before}', { before: milliseconds(against.latency.medianMs, locale) })) : '';
  return [
    tile(
      say(sentence('Quality')),
      cosineOrDash(drift?.cosineMean ?? null, locale),
      say(sentence('cosine to the original')),
      quality.filter(Boolean).join(' · '),
    ),
    tile(say(sentence('Speed')), milliseconds(latency.medianMs, locale), was, speed ?? ''),
  ];
}

/** Metrics, drift by layer and the texts that moved most. */
function movement(measured: Measurement, voice: Voice): string {
  const { say, locale } = voice;
  const { layers = [], worst, notes } = measured;
  const list = (title: Sentence, heads: readonly Sentence[], rows: readonly (readonly string[])[]): string => {
    const cell = (value: string, at: number): string => `<td class="${at === 0 ? 'name' : 'n'}">${value}</td>`;
    const head = heads.map((each, at) => `<th${at === 0 ? '' : ' class="n"'}>${text(say(each))}</th>`).join('');
    const body = rows.map(row => `<tr>${row.map(cell).join('')}</tr>`).join('');
    return `<h2>${text(say(title))}</h2>\n<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
  };
  const [before, after] = [sentence('Before'), sentence('After')];
  const rows = measuredRows(measured, voice);
  return [
    list(
      sentence('Measured'),
      [sentence('Measure'), before, after, sentence('Change')],
      rows.map(row => row.slice(0, 4).map(cell => text(cell))),
    ),
    ...notes.map(note => `<p class="small">${text(visible(say(note)))}</p>`),
    layers.length > 0
      ? list(
          sentence('Drift by layer'),
          [sentence('Layer'), sentence('Mean'), sentence('Worst text')],
          layers.map(each => [
            `${name(layerTitle(each.id, voice))}${each.measure === 'cka' ? ' <span class="muted">CKA</span>' : ''}`,
            text(cosineOrDash(each.mean, locale)),
            text(cosineOrDash(each.min, locale)),
          ]),
        )
      : '',
    worst.length > 0
      ? list(
          sentence('Sentences that moved most'),
          [sentence('Text'), sentence('Cosine'), before, after],
          worst.map(each => [
            name(each.text),
            text(cosineOrDash(each.cosine, locale)),
            text(classOrDash(each.before, locale)),
            text(classOrDash(each.after, locale)),
          ]),
        )
      : '',
  ].join('\n');
}

function summary({ rows }: Comparison, { say, locale }: Voice): string {
  const { changed, added, removed, replaced, same } = countChanges(rows);
  if (same === rows.length) return `<p>${text(say(sentence('Nothing changed: all {n} tensors are the same.', { n: same })))}</p>`;
  const counts = sentence('Tensors: {changed} changed, {added} added, {removed} removed, {replaced} replaced, {same} the same.', {
    changed,
    added,
    removed,
    replaced,
    same,
  });
  const worst = worstRow(rows);
  const error = worst?.error
    ? ` ${text(say(sentence('Largest error of a matrix:')))} ${text(errorPercent(worst.error.relative, locale))} (<code>${name(worst.id)}</code>).`
    : '';
  return `<p>${text(say(counts))}${error}</p>`;
}

const marks: Record<Change, string> = { same: '', changed: '~', added: '+', removed: '\u2212', replaced: '⇄' };
const changeWords = {
  same: sentence('same'),
  changed: sentence('changed'),
  added: sentence('added'),
  removed: sentence('removed'),
  replaced: sentence('replaced'),
};

function table({ tree, rows: { length } }: Comparison, voice: Voice): string {
  const { say, locale } = voice;
  const all = [...outline(tree, everyLevel)];
  if (all.length === 0) return '';
  const scale = Math.max(
    1,
    ...(tree.children ?? []).flatMap(({ before, after }) => [before?.byteLength ?? 0, after?.byteLength ?? 0]),
  );
  const head = [
    `<th class="mark"></th><th>${text(say(sentence('Name')))}</th><th>${text(say(sentence('Before and after')))}</th>`,
    ...[sentence('Before'), sentence('After'), sentence('Change')].map(title => `<th class="n">${text(say(title))}</th>`),
    `<th class="n">%</th><th>${text(say(sentence('Type')))}</th><th>${text(say(sentence('Shape')))}</th>`,
    ...[sentence('Error'), sentence('Cosine')].map(title => `<th class="n">${text(say(title))}</th>`),
  ];
  const rest = all.length - mostRows;
  const notes = [
    say(sentence('Error is the relative change of the weights as they act.')),
    ...(all.length < length ? [say(sentence('What lies under an unchanged row is not listed.'))] : []),
    ...(rest > 0 ? [say(sentence('And {n} more.', { n: rest }))] : []),
  ];
  const body = all.slice(0, mostRows).map(({ node, level }) => row(node, level, scale, voice));
  return [
    `<h2>${text(say(sentence('Tensors before and after')))}</h2>`,
    `<div class="scroll"><table><caption>${text(notes.join(' '))}</caption>`,
    `<thead><tr>${head.join('')}</tr></thead>`,
    `<tbody>${body.join('\n')}</tbody>`,
    `<tfoot><tr><td></td><td>${text(say(sentence('Total')))}</td><td></td>${sizeCells(tree, locale, say(sentence('new')))}<td colspan="4"></td></tr></tfoot>`,
    '</table></div>',
  ].join('\n');
}

function row(node: ComparisonNode, level: number, scale: number, { say, locale }: Voice): string {
  const { before, after, change, error } = node;
  const shown = change === 'same' ? undefined : error;
  const cells = [
    `<td class="mark" title="${text(say(changeWords[change]))}">${marks[change]}</td>`,
    `<td class="name" style="padding-left:${level * 14}px" title="${text(visible(node.id))}">${name(node.titleSentence ? say(node.titleSentence) : node.title)}</td>`,
    `<td>${bar(before?.byteLength ?? 0, after?.byteLength ?? 0, scale)}</td>`,
    sizeCells(node, locale, say(sentence('new'))),
    `<td><code>${both(before, after, side => side.dtype)}</code></td>`,
    `<td><code>${both(before, after, side => side.shape && shape(side.shape))}</code></td>`,
    `<td class="n">${shown ? text(errorPercent(shown.relative, locale)) : ''}</td>`,
    `<td class="n">${shown ? text(cosine(shown.cosine, locale)) : ''}</td>`,
  ];
  return `<tr class="${change} ${organ(node)}">${cells.join('')}</tr>`;
}

/** Before, after, change and percent of one row. */
function sizeCells({ before, after }: ComparisonNode, locale: string, fresh: string): string {
  const [from, to] = [before?.byteLength ?? 0, after?.byteLength ?? 0];
  const cells = [
    before ? bytes(from, locale) : '–',
    after ? bytes(to, locale) : '–',
    byteChange(from, to, locale),
    before ? (percentChange(from, to, locale) ?? '–') : fresh,
  ];
  return cells.map(cell => `<td class="n">${text(cell)}</td>`).join('');
}

/** The class that colours a row's bar. */
function organ({ id, kind }: ComparisonNode): string {
  if (kind === 'embeddings' || id.startsWith('embeddings.')) return 'embeddings';
  if (kind === 'feed-forward' || /\.(intermediate|output)\.dense\b/.test(id.replace('.attention.output.', '.')))
    return 'feed-forward';
  return kind === 'other' ? 'other' : 'attention';
}

function both(
  before: ComparisonNode['before'],
  after: ComparisonNode['after'],
  show: (side: Partial<Side>) => string | undefined,
): string {
  const [from, to] = [before && show(before), after && show(after)];
  return text(from && to && from !== to ? `${from} → ${to}` : (to ?? from ?? ''));
}

/** Outlined: before. Solid inside: after. Both on the scale of the largest part. */
function bar(before: number, after: number, scale: number): string {
  const width = (value: number): string => (scale > 0 ? ((value / scale) * 100).toFixed(2) : '0');
  return `<span class="bar" aria-hidden="true"><i style="width:${width(before)}%"></i><b style="width:${width(after)}%"></b></span>`;
}

function heads(comparison: Comparison, { say }: Voice): string {
  const changes = headChanges(comparison);
  if (changes.length === 0) return '';
  const rows = changes.map(
    ({ layer, before, after }) =>
      `<tr><td>${layer}</td><td class="n">${before ?? '–'}</td><td class="n">${after ?? '–'}</td></tr>`,
  );
  const head = `<th>${text(say(sentence('Layer')))}</th><th class="n">${text(say(sentence('Before')))}</th><th class="n">${text(say(sentence('After')))}</th>`;
  return `<h2>${text(say(sentence('Heads')))}</h2>\n<table style="width:auto"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function howMade({ recipe, report, command }: Made, { say, locale }: Voice): string {
  const took = sentence('It took {time}, with {bytes} of memory at its peak.', {
    time: seconds(report.seconds, locale),
    bytes: bytes(report.peakBytes, locale),
  });
  const groups = leftAlone(report.skipped).map(
    ({ reason, targets }) =>
      `<li>${text(visible(say(reason)))}: ${targets.map(target => `<code>${name(target)}</code>`).join(', ')}</li>`,
  );
  return [
    `<h2>${text(say(sentence('How this was made')))}</h2>`,
    `<pre>${text(command)}</pre>`,
    `<pre>${text(JSON.stringify(recipe, null, 2))}</pre>`,
    `<p>${text(say(took))}</p>`,
    ...(report.notes ?? []).map(note => `<p>${text(visible(say(note.sentence)))}</p>`),
    ...(groups.length > 0 ? [`<h2>${text(say(sentence('Left alone')))}</h2>`, `<ul>${groups.join('')}</ul>`] : []),
  ].join('\n');
}

/** An untrusted name: text, isolated from the direction of what stands around it. */
const name = (value: string): string => `<bdi>${text(visible(value))}</bdi>`;

function text(value: string): string {
  return value.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`);
}
