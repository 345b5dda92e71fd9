import { Command, Option } from 'commander';
import type { ExportReport, Session } from '../core/session/types.ts';
import { answer, answerJson } from './answer.ts';
import { progressBar } from './progress.ts';
import { bytes } from './table.ts';

interface Flags {
  readonly out: string;
  readonly format: 'onnx';
  readonly force?: boolean;
  readonly json?: boolean;
}

export function exportCommand(session: Session, signal: AbortSignal): Command {
  return new Command('export')
    .description('write a safetensors checkpoint as an ONNX model, without Python')
    .argument('<file>', 'a .safetensors, a model.safetensors.index.json, or a folder that holds one')
    .requiredOption('--out <path>', 'the .onnx file to write, or a folder for model.onnx')
    .addOption(new Option('--format <format>', 'what to write').choices(['onnx']).default('onnx'))
    .option('--force', 'replace the output if it exists')
    .option('--json', 'the answer as JSON')
    .addHelpText('after', '\nExample:\n  headroom export bert/ --format onnx --out bert.onnx')
    .action(async (file: string, { out, force = false, json }: Flags) => {
      const bar = progressBar();
      const report = await session.export(file, out, { force, signal, progress: bar.progress }).finally(bar.done);
      if (json) answerJson(report);
      else answer(describe(report));
    });
}

function describe({ out, before, after, inputs, outputs, skipped, seconds, peakBytes }: ExportReport): string {
  const lines = [
    `wrote ${out}`,
    `${bytes(before.fileBytes)} -> ${bytes(after.fileBytes)}; inputs ${inputs.join(', ')}; outputs ${outputs.join(', ')}`,
  ];
  if (skipped.length > 0) lines.push('left out:', ...skipped.map(({ target, reason }) => `  ${target}: ${reason}`));
  lines.push(`${seconds.toFixed(2)} s, peak memory ${bytes(peakBytes)}`);
  return lines.join('\n');
}
