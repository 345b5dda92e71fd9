import { access, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command } from 'commander';
import { fail, sentence } from '../core/errors.ts';
import type { Comparison } from '../core/report/comparison.ts';
import type { Session } from '../core/session/types.ts';
import { answer, answerJson } from './answer.ts';
import { progressBar } from './progress.ts';
import { bytes, count, percent, table } from './table.ts';

interface Flags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly html?: string;
  readonly force?: boolean;
}

export function compareCommand(session: Session, signal: AbortSignal): Command {
  return new Command('compare')
    .description('two models joined organ by organ: sizes, types, and the error of every weight that changed')
    .argument('<before>', 'a model file, or a folder that holds one')
    .argument('<after>', 'a model file, or a folder that holds one')
    .option('--json', 'the whole answer as JSON')
    .option('--markdown', 'a Markdown document')
    .option('--html <out>', 'write one self-contained HTML file')
    .option('--force', 'replace the HTML file if it exists')
    .addHelpText('after', '\nExample:\n  headroom compare model.onnx model.int8.onnx --html difference.html')
    .action(async (before: string, after: string, flags: Flags) => {
      if ([flags.json, flags.markdown, flags.html].filter(Boolean).length > 1)
        throw fail('usage', 'Choose one of --json, --markdown and --html.');
      if (flags.html && !flags.force) await refuseExisting(flags.html);
      const bar = progressBar();
      const comparison = await session.compare(before, after, { signal, progress: bar.progress }).finally(bar.done);
      if (flags.json) answerJson(withoutView(comparison));
      else if (flags.markdown) answer(await session.document(comparison, null, 'markdown'));
      else if (flags.html) {
        await writeFile(flags.html, await session.document(comparison, null, 'html'));
        answer(`wrote ${flags.html}`);
      } else answer(describe(comparison));
    });
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  const file = basename(path);
  if (exists)
    throw fail(
      'output-exists',
      '{file} exists. Choose another name, or replace it.',
      { file },
      { hint: sentence('Choose another name, or allow replacing it (--force).') },
    );
}

/** The joined tree is the panel's: the rows say the same. */
function withoutView({ tree: _, ...rest }: Comparison): Omit<Comparison, 'tree'> {
  return rest;
}

function describe({ names, totals, rows }: Comparison): string {
  const { before, after } = totals;
  const changed = rows.filter(it => it.change !== 'same');
  const lines = changed.map(({ id, change, before: b, after: a, error }) => [
    { changed: '~', added: '+', removed: '-', replaced: '=', same: ' ' }[change],
    id,
    b ? bytes(b.byteLength) : '',
    a ? bytes(a.byteLength) : '',
    b && a && b.dtype !== a.dtype ? `${b.dtype} -> ${a.dtype}` : (a?.dtype ?? b?.dtype ?? ''),
    error ? `${(100 * error.relative).toFixed(2)} %` : '',
    error ? (Math.floor(error.cosine * 1e5) / 1e5).toFixed(5) : '',
  ]);
  return [
    `${names.before} -> ${names.after}`,
    `file ${bytes(before.fileBytes)} -> ${bytes(after.fileBytes)} (${percent(after.fileBytes - before.fileBytes, before.fileBytes)}), parameters ${count(before.parameters)} -> ${count(after.parameters)}`,
    `${changed.length} of ${rows.length} tensors changed; quality and speed: not measured`,
    ...(changed.length > 0
      ? ['', table([['', 'tensor', 'before', 'after', 'type', 'error', 'cosine'], ...lines], [2, 3, 5, 6])]
      : []),
  ].join('\n');
}
