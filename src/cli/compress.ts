import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { fail } from '../core/errors.ts';
import type { CompressReport } from '../core/report/comparison.ts';
import type { Recipe, Session } from '../core/session/types.ts';
import { answer, answerJson } from './answer.ts';
import { progressBar } from './progress.ts';
import { bytes, count, percent } from './table.ts';

export interface OutputFlags {
  readonly out: string;
  readonly format?: 'onnx' | 'safetensors';
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly calibration?: string;
  readonly record?: boolean;
}

export const addOutputOptions = (command: Command): Command =>
  command
    .requiredOption('--out <path>', 'the file to write (.onnx, .safetensors), or a folder')
    .addOption(
      new Option('--format <format>', 'what to write; default: what --out ends in, else as the input').choices([
        'onnx',
        'safetensors',
      ]),
    )
    .option('--calibration <text>', 'a text file, one sentence a line: what methods that look at activations see')
    .option('--dry-run', 'exact sizes, nothing written')
    .option('--force', 'replace the output if it exists')
    .option('--record', 'keep how it was made beside it, as NAME.headroom.json')
    .option('--json', 'the answer as JSON');

export function compressCommand(session: Session, signal: AbortSignal): Command {
  const command = new Command('compress')
    .description('carry out a recipe: passes in order, one new model')
    .argument('<file>', 'a .onnx, a .safetensors, a model.safetensors.index.json, or a folder that holds one')
    .requiredOption('--recipe <file>', 'a JSON file: { "version": 1, "steps": [ { "pass": ID, "options": { … } } ] }');
  return addOutputOptions(command)
    .addHelpText('after', '\nExample:\n  headroom compress model.onnx --recipe int8.json --out model.int8.onnx')
    .action(async (file: string, flags: OutputFlags & { recipe: string }) => {
      await runCompress(session, file, await readRecipe(flags.recipe), flags, signal);
    });
}

/** Its shape is checked by the session; here only that it is there and is JSON. */
async function readRecipe(path: string): Promise<Recipe> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fail('not-found', 'There is no recipe at {path}.', { path }, { file: basename(path), cause });
  });
  try {
    return JSON.parse(text) as Recipe;
  } catch (cause) {
    throw fail('bad-recipe', 'The recipe is not JSON: {cause}', { cause: (cause as Error).message }, { file: basename(path) });
  }
}

export async function runCompress(
  session: Session,
  path: string,
  recipe: Recipe,
  flags: OutputFlags,
  signal: AbortSignal,
): Promise<void> {
  const { out, format, calibration, dryRun = false, force = false } = flags;
  const bar = progressBar();
  const request = { path, recipe, out, dryRun, force, ...(format && { format }), ...(calibration && { calibration }) };
  const { steps: _, ...report } = await session.compress(request, { signal, progress: bar.progress }).finally(bar.done);
  if (flags.record && !dryRun) await session.keepRecord(report.out, { made: { recipe, report, command: commandOf() } });
  if (flags.json) answerJson(report);
  else answer(describe(report, dryRun));
}

/** As it was typed. */
const commandOf = (): string =>
  [
    'headroom',
    ...process.argv.slice(2).map(word => (/^[\w./:=@,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)),
  ].join(' ');

function describe(report: CompressReport, dryRun: boolean): string {
  const { before, after, edits, skipped, notes = [] } = report;
  const saved = before.fileBytes - after.fileBytes;
  const lines = [
    `${dryRun ? 'would write' : 'wrote'} ${report.out}`,
    `${bytes(before.fileBytes)} -> ${bytes(after.fileBytes)} (${saved >= 0 ? '-' : '+'}${percent(Math.abs(saved), before.fileBytes)}${factor(before.fileBytes / after.fileBytes)}), parameters ${count(before.parameters)} -> ${count(after.parameters)}`,
    `${edits.length} changed: ${tally(edits.map(wordOf))}`,
  ];
  if (skipped.length > 0) lines.push('left alone:', ...reasons(skipped));
  lines.push(...notes.map(({ note }) => note));
  lines.push(`${report.seconds.toFixed(2)} s, peak memory ${bytes(report.peakBytes)}; quality and speed: not measured`);
  return lines.join('\n');
}

const factor = (times: number): string => (times >= 1.01 ? `, ${times.toFixed(2)} x smaller` : '');

/** "quantize fp32 -> int8"; the kind alone where something is taken away, or only its numbers change. */
function wordOf({ kind, before, after }: CompressReport['edits'][number]): string {
  const [from, to] = [before, after].map(text => text.split(' ')[0]);
  return before === '' || after === '' || from === to ? kind : `${kind} ${from} -> ${to}`;
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, n]) => `${n} x ${word}`).join(', ') || 'none';
}

function reasons(skipped: CompressReport['skipped']): string[] {
  const targets = new Map<string, string[]>();
  for (const { target, reason } of skipped) targets.set(reason, [...(targets.get(reason) ?? []), target]);
  return [...targets].map(([reason, ids]) => `  ${ids.length === 1 ? ids[0] : `${ids.length} tensors`}: ${reason}`);
}
