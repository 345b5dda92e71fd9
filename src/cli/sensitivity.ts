import { Command, Option } from 'commander';
import { say } from '../core/errors.ts';
import type { PartsBy, Sensitivity, SensitivityRow } from '../core/report/sensitivity.ts';
import { passInfos } from '../core/session/pass-infos.ts';
import type { PassInfo, Session } from '../core/session/types.ts';
import { answer, answerJson } from './answer.ts';
import { addPassOptions } from './pass.ts';
import { progressBar } from './progress.ts';
import { bytes, count, percent, table } from './table.ts';

interface Flags extends Readonly<Record<string, unknown>> {
  readonly parts: PartsBy;
  readonly calibration?: string;
  readonly against?: string;
  readonly format?: 'onnx' | 'safetensors';
  readonly json?: boolean;
}

const examples = `
Examples:
  headroom sensitivity model.onnx
  headroom sensitivity model.onnx --scheme int4 --parts matrices --calibration sentences.txt
  headroom sensitivity model.onnx --pass factorize --ratio 0.6 --parts organs --json`;

/** Passes that can be kept to one part of a model. */
const kept = passInfos.filter(({ fields }) => 'include' in fields);

/** What each part of a model costs when it alone is compressed. The flags of the pass that `args` name are the command's too. */
export function sensitivityCommand(session: Session, signal: AbortSignal, args: readonly string[]): Command {
  const pass = passIn(args);
  const command = new Command('sensitivity')
    .description('what each part costs: a step on one part at a time, and how far the outputs of the model move')
    .argument('<file>', 'a .onnx, a .safetensors (exported for the run), or a folder that holds one')
    .addOption(
      new Option('--pass <pass>', 'what is done to each part; its own flags follow').choices(idsOf(kept)).default('quantize'),
    )
    .addOption(
      new Option('--parts <parts>', 'whole layers, one kind of matrix in all layers, or each matrix')
        .choices(['layers', 'organs', 'matrices'])
        .default('layers'),
    )
    .option(
      '--calibration <text>',
      'a text file, one sentence a line: what the model runs on, and what methods see; default: the sentences that come with Headroom',
    )
    .option('--against <file>', 'the model whose outputs are the measure (default: the model itself)')
    .addOption(new Option('--format <format>', 'what would be written; default: as the input').choices(['onnx', 'safetensors']))
    .option('--json', 'the whole answer as JSON');
  const optionsFrom = addPassOptions(command, pass);
  return command.addHelpText('after', examples).action(async (file: string, flags: Flags) => {
    const { parts, calibration, against, format, json } = flags;
    const request = {
      step: { pass: pass.id, options: optionsFrom(flags) },
      parts,
      ...(calibration !== undefined && { calibration }),
      ...(against !== undefined && { against }),
      ...(format && { format }),
    };
    const bar = progressBar();
    const found = await session.sensitivity(file, request, { signal, progress: bar.progress }).finally(bar.done);
    if (json) answerJson(found);
    else answer(describe(found));
    for (const note of found.notes) process.stderr.write(`note: ${say(note)}\n`);
  });
}

const idsOf = (infos: readonly PassInfo[]): string[] => infos.map(({ id }) => id);

/** The pass that is asked for, before commander knows its flags; quantize where it is none, which commander then says. */
function passIn(args: readonly string[]): PassInfo {
  const at = args.findIndex(arg => arg === '--pass' || arg.startsWith('--pass='));
  const named = args[at]?.startsWith('--pass=') ? args[at].slice('--pass='.length) : args[at + 1];
  return kept.find(({ id }) => at >= 0 && id === named) ?? kept.find(({ id }) => id === 'quantize')!;
}

/** The most costly first; what the step leaves alone last, with the reason. */
function describe({ step, texts, rows, all, seconds }: Sensitivity): string {
  const measured = rows.filter(hasDrift).sort((a, b) => b.drift - a.drift);
  const sum = measured.reduce((total, { drift }) => total + drift, 0);
  const lines = [
    ['', 'drift', 'share', 'parameters', 'before', 'after'],
    ...measured.map(row => [
      row.title,
      driftText(row.drift),
      percent(row.drift, sum),
      count(row.parameters),
      bytes(row.bytesBefore),
      bytes(row.bytesAfter),
    ]),
    ['all together', driftText(all.drift), '', '', bytes(all.bytesBefore), bytes(all.bytesAfter)],
  ];
  const alone = rows.filter(row => row.skipped);
  return [
    `${step.pass} on one part at a time: drift of the sentence vectors (1 - cosine, mean of ${texts} texts)`,
    '',
    table(lines, [1, 2, 3, 4, 5]),
    ...(alone.length > 0 ? ['', 'left alone:', ...alone.map(row => `  ${row.title}: ${say(row.skipped!.sentence)}`)] : []),
    '',
    `${seconds.toFixed(1)} s`,
  ].join('\n');
}

const hasDrift = (row: SensitivityRow): row is SensitivityRow & { readonly drift: number } => row.drift !== null;
const driftText = (drift: number): string => drift.toFixed(6);
