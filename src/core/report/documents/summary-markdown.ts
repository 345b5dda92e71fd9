import { sentence } from '../../errors.ts';
import type { HeadSize, Summary, TreeNode } from '../tree.ts';
import { bytes, count, shape } from './figures.ts';
import { code, indented, table, text } from './markup.ts';
import { english, type Voice } from './voice.ts';

/** A comment on a pull request stops at 65,536 characters; a row of parts takes about 100, one of tensors 200. */
const mostRows = 200;
const mostTensors = 100;
/** Levels of the tree that are shown: embeddings and encoder, layers, attention and feed-forward. */
const levels = 3;

/** A model's sizes as GitHub-flavoured Markdown: what it is, its parts, its heads, its largest tensors, what was noticed. */
export function summaryMarkdown(summary: Summary, voice: Voice = english): string {
  const sections = [
    `# ${code(summary.file.name)}`,
    facts(summary, voice),
    ...parts(summary, voice),
    ...heads(summary, voice),
    ...tensors(summary, voice),
    ...notes(summary, voice),
  ];
  return `${sections.join('\n\n')}\n`;
}

function facts({ file, model }: Summary, { say, locale }: Voice): string {
  const number = (value: number) => count(value, locale);
  const each = (values: readonly number[]) => [...new Set(values)].map(number).join(' / ');
  const rows: [string, string][] = [
    [say(sentence('File size')), `${bytes(file.byteLength, locale)} (${number(file.byteLength)})`],
    [say(sentence('Parameters')), number(model.parameters)],
    [say(sentence('Format')), text(file.format)],
    [
      say(sentence('Types')),
      model.dtypes.map(({ dtype, byteLength }) => `${text(dtype)} ${bytes(byteLength, locale)}`).join(', '),
    ],
  ];
  if (model.notBert) rows.push([say(sentence('Family')), text(say(model.notBert))]);
  else
    rows.push(
      [say(sentence('Family')), code(model.family)],
      [say(sentence('Task')), code(model.task)],
      [say(sentence('Layers')), `${number(model.layers)} × ${number(model.hidden)}`],
      [say(sentence('Heads in a layer')), `${each(model.heads)} × ${number(model.headDim)}`],
      [say(sentence('Feed-forward')), each(model.intermediate)],
      [say(sentence('Vocabulary')), number(model.vocabulary)],
    );
  const [head, ...rest] = rows;
  return table(head!, rest);
}

function parts({ tree, model }: Summary, voice: Voice): string[] {
  const { say, locale } = voice;
  const rows = [...outline(tree)].map(({ node, level }) => [
    indented(text(node.titleSentence ? say(node.titleSentence) : node.title), level),
    share(node.parameters, model.parameters, locale),
    count(node.parameters, locale),
    bytes(node.byteLength, locale),
  ]);
  if (rows.length === 0) return [];
  const header = [say(sentence('Part')), say(sentence('Share')), say(sentence('Parameters')), say(sentence('Size'))];
  return [`## ${say(sentence('Where the parameters are'))}`, ...capped(header, rows, 1, voice)];
}

/** Organs, not single tensors, each with its depth (0 for the root's children). */
function* outline(node: TreeNode, level = 0): Generator<{ node: TreeNode; level: number }> {
  if (level === levels || node.kind === 'norm' || node.kind === 'linear' || node.kind === 'other') return;
  for (const child of node.children ?? []) {
    if (child.kind === 'tensor') continue;
    yield { node: child, level };
    yield* outline(child, level + 1);
  }
}

function heads({ heads: all }: Summary, voice: Voice): string[] {
  const { say, locale } = voice;
  const layers = new Map<number, HeadSize[]>();
  for (const head of all) layers.set(head.layer, [...(layers.get(head.layer) ?? []), head]);
  if (layers.size === 0) return [];
  const each = (values: readonly number[], show: (value: number) => string): string => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least === most ? show(least) : `${show(least)}–${show(most)}`;
  };
  const rows = [...layers].map(([layer, own]) => [
    String(layer),
    String(own.length),
    each(
      own.map(head => head.parameters),
      value => count(value, locale),
    ),
    each(
      own.map(head => head.byteLength),
      value => bytes(value, locale),
    ),
  ]);
  const header = [
    say(sentence('Layer')),
    say(sentence('Heads')),
    say(sentence('Parameters of a head')),
    say(sentence('Size of a head')),
  ];
  return [`## ${say(sentence('Heads'))}`, ...capped(header, rows, 1, voice)];
}

function tensors({ tree, model }: Summary, voice: Voice): string[] {
  const { say, locale } = voice;
  const rows = [...leaves(tree)]
    .sort((a, b) => b.byteLength - a.byteLength)
    .map(node => [
      code(node.id),
      code(node.tensors?.join(', ') ?? ''),
      text(node.dtype ?? ''),
      node.shape ? shape(node.shape) : '',
      share(node.parameters, model.parameters, locale),
      count(node.parameters, locale),
      bytes(node.byteLength, locale),
    ]);
  if (rows.length === 0) return [];
  const header = [
    say(sentence('Tensor')),
    say(sentence('Name in the file')),
    say(sentence('Type')),
    say(sentence('Shape')),
    say(sentence('Share')),
    say(sentence('Parameters')),
    say(sentence('Size')),
  ];
  return [`## ${say(sentence('Tensors, largest first'))}`, ...capped(header, rows, 4, voice, mostTensors)];
}

function* leaves(node: TreeNode): Generator<TreeNode> {
  if (!node.children && node.tensors) yield node;
  for (const child of node.children ?? []) yield* leaves(child);
}

function notes({ warnings }: Summary, { say }: Voice): string[] {
  if (warnings.length === 0) return [];
  return [`## ${say(sentence('Notes'))}`, warnings.map(warning => `- ${text(say(warning.sentence))}`).join('\n')];
}

function capped(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: number,
  { say }: Voice,
  most = mostRows,
): string[] {
  const rest = rows.length - most;
  const shown = table(header, rows.slice(0, most), numbers);
  return rest > 0 ? [shown, say(sentence('And {n} more.', { n: rest }))] : [shown];
}

/** 12.43 %; a share too small for two decimals is not 0. */
function share(part: number, whole: number, locale: string): string {
  if (part === 0 || whole === 0) return '–';
  const percent = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return part / whole < 0.00005 ? `<${percent.format(0.01)}\u00a0%` : `${percent.format((100 * part) / whole)}\u00a0%`;
}
