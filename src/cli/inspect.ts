import { Command } from 'commander';
import { fail, say } from '../core/errors.ts';
import type { Summary, TreeNode } from '../core/report/tree.ts';
import type { Session } from '../core/session/types.ts';
import { answer } from './answer.ts';
import { progressBar } from './progress.ts';
import { summaryJson } from './summary-json.ts';
import { bytes, count, percent, table } from './table.ts';

interface Flags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly csv?: boolean;
  readonly stats?: boolean;
}

const examples = `
Examples:
  headroom inspect model.onnx
  headroom inspect model.onnx --json > model.json
  headroom inspect bert/ --markdown > bert.md
  headroom inspect model.safetensors --csv > model.csv`;

export function inspectCommand(session: Session, signal: AbortSignal): Command {
  return new Command('inspect')
    .description('where the parameters are: by layer, head and tensor')
    .argument('<file>', 'a .onnx, a .safetensors, a model.safetensors.index.json, or a folder that holds one')
    .option('--json', 'the whole answer as JSON')
    .option('--markdown', 'a Markdown document')
    .option('--csv', 'the tree as CSV: a row for each part and tensor, for a spreadsheet')
    .option('--stats', 'read the weights too: range, mean, spread, zeros and a histogram of each tensor (with --json)')
    .addHelpText('after', examples)
    .action(async (file: string, { json, markdown, csv, stats }: Flags) => {
      if ([json, markdown, csv].filter(Boolean).length > 1) throw fail('usage', 'Choose one of --json, --markdown and --csv.');
      if (stats && (markdown || csv)) throw fail('usage', '--stats goes with --json.');
      const bar = progressBar();
      const summary = await session.inspect(file, { signal, progress: bar.progress, stats: stats ?? false }).finally(bar.done);
      if (json) for (const piece of summaryJson(summary)) process.stdout.write(piece);
      else if (markdown || csv) answer(await session.summaryDocument(summary, markdown ? 'markdown' : 'csv'));
      else answer(describe(summary));
      // The two documents for people and machines hold them already.
      for (const { message } of json || markdown ? [] : summary.warnings) process.stderr.write(`note: ${message}\n`);
    });
}

function describe({ file, model, tree, heads }: Summary): string {
  const what = model.notBert
    ? say(model.notBert)
    : `${model.family}, ${model.task}: ${model.layers} layers of ${model.hidden}, ${headsOf(model.heads)} of ${model.headDim}, feed-forward ${[...new Set(model.intermediate)].join('/')}, vocabulary ${count(model.vocabulary)}`;
  const head = `${file.name}: ${count(model.parameters)} parameters, ${bytes(file.byteLength)} (${file.format}; ${model.dtypes.map(it => it.dtype).join(', ')})\n${what}`;
  const rows = [['', 'share', 'parameters', 'bytes', 'type', 'shape'], ...lines(tree, model.parameters, 0)];
  const one = heads[0];
  const even = one && heads.every(it => it.parameters === one.parameters && it.byteLength === one.byteLength);
  const perHead = even ? `\n\nEach of ${heads.length} heads: ${count(one.parameters)} parameters, ${bytes(one.byteLength)}.` : '';
  return `${head}\n\n${table(rows, [1, 2, 3])}${perHead}`;
}

const headsOf = (heads: readonly number[]): string => {
  const kinds = [...new Set(heads)];
  return kinds.length === 1 ? `${kinds[0]} heads` : `${heads.join('+')} heads`;
};

/** Organs, not single tensors: a linear's weight and bias are one line. */
function lines(node: TreeNode, total: number, depth: number): string[][] {
  const row = [
    `${'  '.repeat(depth)}${node.title}`,
    percent(node.parameters, total),
    count(node.parameters),
    bytes(node.byteLength),
    node.dtype ?? '',
    node.shape?.join(' x ') ?? '',
  ];
  const organs = (node.children ?? []).filter(child => child.kind !== 'tensor');
  const children = depth < 3 && node.kind !== 'norm' && node.kind !== 'other' ? organs : [];
  return [row, ...children.flatMap(child => lines(child, total, depth + 1))];
}
