import { Command } from 'commander';
import { say } from '../core/errors.ts';
import type { Field } from '../core/passes/pass.ts';
import type { PassInfo } from '../core/session/types.ts';
import { answer, answerJson } from './answer.ts';

export function passesCommand(passes: readonly PassInfo[]): Command {
  return new Command('passes')
    .description('every pass, its options, its source')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  headroom passes --json')
    .action(({ json }: { json?: boolean }) => {
      if (json) answerJson({ version: 1, passes: passes.map(asData) });
      else answer(passes.map(describe).join('\n\n'));
    });
}

function asData({ id, title, summary, source, needs, fields }: PassInfo) {
  const options = Object.entries(fields).map(([name, field]) => ({
    name,
    ...field,
    label: say(field.label),
    help: say(field.help),
    ...choices(field),
  }));
  return { id, title: say(title), summary: say(summary), source, needs, options };
}

const choices = (field: Field) =>
  field.kind === 'choice' ? { choices: field.choices.map(({ value, hint }) => ({ value, hint: say(hint) })) } : {};

/** A default as people say it. */
function standardOf({ kind, default: value }: Field): string {
  if (value === null || value === '') return 'none';
  if (kind === 'globs') return value.join(' ') || 'none';
  if (typeof value !== 'object') return String(value);
  return Object.keys(value).length === 0 ? 'none' : JSON.stringify(value);
}

function describe({ id, summary, source, fields }: PassInfo): string {
  const lines = Object.entries(fields).map(([name, field]) => {
    const values =
      field.kind === 'choice'
        ? ` ${field.choices.map(it => it.value).join(' | ')}`
        : field.kind === 'number' || field.kind === 'by-layer'
          ? ` ${field.min} to ${field.max}`
          : '';
    const standard = standardOf(field);
    return `  ${name}${values} (default ${standard})\n      ${say(field.help)}`;
  });
  return [`${id}: ${say(summary)}`, `  after ${source}`, ...lines].join('\n');
}
