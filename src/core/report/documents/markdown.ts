import { sentence } from '../../errors.ts';
import type { Comparison, ComparisonNode, ComparisonRow, Side, Sizes } from '../comparison.ts';
import { changedRows, countChanges, headChanges, leftAlone, namesOf, outline, worstRow } from './digest.ts';
import { byteChange, bytes, cosine, count, countChange, errorPercent, factor, percentChange, seconds, shape } from './figures.ts';
import type { Made } from './made.ts';
import { code, fence, indented, table, text } from './markup.ts';
import { classOrDash, cosineOrDash, layerTitle, type Measurement, measuredOn, measuredRows } from './measured.ts';
import { english, type Voice } from './voice.ts';

/** Rows of the table of tensors; a comment on a pull request stops at 65,536 characters, and a row takes about 150. */
const mostRows = 200;
/** Targets named for each reason under "Left alone". */
const mostTargets = 5;

/** A comparison as GitHub-flavoured Markdown. Names from the files are untrusted: none of them can become markup. */
export function markdown(
  comparison: Comparison,
  made?: Made | null,
  measured?: Measurement | null,
  voice: Voice = english,
): string {
  const names = namesOf(comparison, made);
  const sections = [
    `# ${code(names.before)} → ${code(names.after)}`,
    totals(comparison, measured, voice),
    ...(measured ? [text(measuredOn(measured, voice))] : []),
    summary(comparison, voice),
    ...parts(comparison, voice),
    ...heads(comparison, voice),
    ...(measured ? movement(measured, voice) : []),
    ...tensors(comparison, voice),
    ...(made ? howMade(made, voice) : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function totals({ totals: { before, after } }: Comparison, measured: Measurement | null | undefined, voice: Voice): string {
  const { say, locale } = voice;
  const smaller = factor(before.fileBytes, after.fileBytes, locale);
  const fileChange = [
    byteChange(before.fileBytes, after.fileBytes, locale),
    smaller && say(sentence('{x} × smaller', { x: smaller })),
  ];
  const parameterChange = countChange(before.parameters, after.parameters, locale);
  const percent = (key: keyof Sizes): string => percentChange(before[key], after[key], locale) ?? '–';
  return table(
    [say(sentence('Total')), say(sentence('Before')), say(sentence('After')), say(sentence('Change')), '%'],
    [
      [
        say(sentence('File size')),
        bytes(before.fileBytes, locale),
        bytes(after.fileBytes, locale),
        fileChange.filter(Boolean).join(', '),
        percent('fileBytes'),
      ],
      [
        say(sentence('Parameters')),
        count(before.parameters, locale),
        count(after.parameters, locale),
        parameterChange,
        percent('parameters'),
      ],
      ...measuredRows(measured, voice).map(([title, ...cells]) => [text(title), ...cells]),
    ],
  );
}

/** Where the outputs move: by layer, and the texts that moved most. */
function movement({ layers = [], worst, notes }: Measurement, voice: Voice): string[] {
  const { say, locale } = voice;
  const blocks: string[] = notes.map(note => text(say(note)));
  if (layers.length > 0) {
    const rows = layers.map(each => [
      text(layerTitle(each.id, voice)),
      each.measure === 'cka' ? 'CKA' : say(sentence('Cosine')),
      cosineOrDash(each.mean, locale),
      cosineOrDash(each.min, locale),
    ]);
    const header = [say(sentence('Layer')), say(sentence('Measure')), say(sentence('Mean')), say(sentence('Worst text'))];
    blocks.push(`## ${say(sentence('Drift by layer'))}`, capped(header, rows, voice, 2));
  }
  if (worst.length > 0) {
    const rows = worst.map(each => [
      text(each.text),
      cosineOrDash(each.cosine, locale),
      classOrDash(each.before, locale),
      classOrDash(each.after, locale),
    ]);
    const header = [say(sentence('Text')), say(sentence('Cosine')), say(sentence('Before')), say(sentence('After'))];
    blocks.push(`## ${say(sentence('Sentences that moved most'))}`, capped(header, rows, voice));
  }
  return blocks;
}

function summary({ rows }: Comparison, { say, locale }: Voice): string {
  const { changed, added, removed, replaced, same } = countChanges(rows);
  if (same === rows.length) return say(sentence('Nothing changed: all {n} tensors are the same.', { n: same }));
  const counts = say(
    sentence('Tensors: {changed} changed, {added} added, {removed} removed, {replaced} replaced, {same} the same.', {
      changed,
      added,
      removed,
      replaced,
      same,
    }),
  );
  const worst = worstRow(rows);
  if (!worst?.error) return counts;
  const error = errorPercent(worst.error.relative, locale);
  return `${counts}\n${say(sentence('Largest error of a matrix:'))} ${error} (${code(worst.id)}).`;
}

function parts({ tree }: Comparison, { say, locale }: Voice): string[] {
  const rows = [...outline(tree, 1)].map(({ node, level }) => [
    indented(text(title(node, say)), level),
    node.before ? bytes(node.before.byteLength, locale) : '–',
    node.after ? bytes(node.after.byteLength, locale) : '–',
    byteChange(node.before?.byteLength ?? 0, node.after?.byteLength ?? 0, locale),
    percentChange(node.before?.byteLength ?? 0, node.after?.byteLength ?? 0, locale) ?? say(sentence('new')),
  ]);
  if (rows.length === 0) return [];
  const header = [say(sentence('Part')), say(sentence('Before')), say(sentence('After')), say(sentence('Change')), '%'];
  return [`## ${say(sentence('Where the bytes are'))}`, capped(header, rows, { say, locale })];
}

const title = (node: ComparisonNode, say: Voice['say']): string => (node.titleSentence ? say(node.titleSentence) : node.title);

function heads(comparison: Comparison, { say }: Voice): string[] {
  const changes = headChanges(comparison);
  if (changes.length === 0) return [];
  const rows = changes.map(({ layer, before, after }) => [String(layer), String(before ?? '–'), String(after ?? '–')]);
  return [`## ${say(sentence('Heads'))}`, table([say(sentence('Layer')), say(sentence('Before')), say(sentence('After'))], rows)];
}

function tensors({ rows }: Comparison, voice: Voice): string[] {
  const { say, locale } = voice;
  const changed = changedRows(rows);
  if (changed.length === 0) return [];
  const header = [
    say(sentence('Tensor')),
    say(sentence('Change')),
    say(sentence('Type')),
    say(sentence('Shape')),
    say(sentence('Before')),
    say(sentence('After')),
    '%',
    say(sentence('Error')),
    say(sentence('Cosine')),
  ];
  const cells = changed.slice(0, mostRows).map(row => tensorCells(row, voice));
  const blocks = [`## ${say(sentence('Tensors, largest difference first'))}`, table(header, cells, 4)];
  const rest = changed.slice(mostRows);
  if (rest.length > 0) {
    const before = rest.reduce((sum, row) => sum + (row.before?.byteLength ?? 0), 0);
    const after = rest.reduce((sum, row) => sum + (row.after?.byteLength ?? 0), 0);
    const change = byteChange(before, after, locale);
    blocks.push(say(sentence('And {n} more, {change} in all.', { n: rest.length, change })));
  }
  blocks.push(say(sentence('Error is the relative change of the weights as they act.')));
  return blocks;
}

function tensorCells(row: ComparisonRow, { say, locale }: Voice): string[] {
  const { before, after, error } = row;
  return [
    code(row.id),
    say(changeWord[row.change]),
    both(before, after, side => text(side.dtype)),
    both(before, after, side => shape(side.shape)),
    before ? bytes(before.byteLength, locale) : '–',
    after ? bytes(after.byteLength, locale) : '–',
    percentChange(before?.byteLength ?? 0, after?.byteLength ?? 0, locale) ?? say(sentence('new')),
    error ? errorPercent(error.relative, locale) : '',
    error ? cosine(error.cosine, locale) : '',
  ];
}

const changeWord = {
  same: sentence('same'),
  changed: sentence('changed'),
  added: sentence('added'),
  removed: sentence('removed'),
  replaced: sentence('replaced'),
};

/** "fp32 → int8", or the one both have. */
function both(before: Side | null, after: Side | null, show: (side: Side) => string): string {
  const [from, to] = [before && show(before), after && show(after)];
  return from && to && from !== to ? `${from} → ${to}` : (to ?? from ?? '');
}

function howMade({ recipe, report, command }: Made, { say, locale }: Voice): string[] {
  const took = say(
    sentence('It took {time}, with {bytes} of memory at its peak.', {
      time: seconds(report.seconds, locale),
      bytes: bytes(report.peakBytes, locale),
    }),
  );
  const blocks = [
    `## ${say(sentence('How this was made'))}`,
    fence(command, 'sh'),
    fence(JSON.stringify(recipe, null, 2), 'json'),
    took,
    ...(report.notes ?? []).map(note => text(say(note.sentence))),
  ];
  const groups = leftAlone(report.skipped);
  if (groups.length === 0) return blocks;
  const lines = groups.map(({ reason, targets }) => {
    const named = targets.slice(0, mostTargets).map(code).join(', ');
    const more = targets.length > mostTargets ? `, ${say(sentence('and {n} more', { n: targets.length - mostTargets }))}` : '';
    return `- ${text(say(reason))}: ${named}${more}`;
  });
  return [...blocks, `### ${say(sentence('Left alone'))}`, lines.join('\n')];
}

function capped(header: readonly string[], rows: readonly (readonly string[])[], { say }: Voice, numbers = 1): string {
  const rest = rows.length - mostRows;
  const shown = table(header, rows.slice(0, mostRows), numbers);
  return rest > 0 ? `${shown}\n\n${say(sentence('And {n} more.', { n: rest }))}` : shown;
}
