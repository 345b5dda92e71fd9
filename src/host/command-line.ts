import type { PassInfo, Recipe } from '../protocol/messages.ts';
import { optionText } from '../protocol/option-text.ts';

/**
 * The command that does the same in a terminal. A recipe of one step is a command of its own; several need the recipe in a file.
 * `calibration` is the text the model runs on, or ''.
 */
export function commandLine(path: string, recipe: Recipe, out: string, passes: readonly PassInfo[], calibration = ''): string {
  const [step, ...more] = recipe.steps;
  const ending = `${calibration === '' ? '' : ` --calibration ${quoted(calibration)}`} --out ${quoted(out)}`;
  if (!step || more.length > 0) return `headroom compress ${quoted(path)} --recipe recipe.json${ending}`;
  const fields = passes.find(pass => pass.id === step.pass)?.fields ?? {};
  const flags = Object.entries(step.options)
    .filter(([name, value]) => value !== null && JSON.stringify(value) !== JSON.stringify(fields[name]?.default))
    .map(([name, value]) => ` ${flag(name, value, fields[name]?.kind)}`);
  return `headroom ${step.pass} ${quoted(path)}${flags.join('')}${ending}`;
}

/** Patterns are words of their own; any other list is one word that holds its text. */
function flag(name: string, value: unknown, kind: string | undefined): string {
  const long = name.replaceAll('_', '-');
  if (typeof value === 'boolean') return value ? `--${long}` : `--no-${long}`;
  const isWords = Array.isArray(value) && (kind === 'globs' || value.some(item => typeof item === 'string'));
  const words = isWords ? value.map(String) : [optionText(value)];
  return `--${long} ${words.map(quoted).join(' ')}`;
}

/** For a POSIX shell; what needs no quotes gets none. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
