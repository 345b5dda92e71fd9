import type { PassInfo, Recipe } from '../protocol/messages.ts';

/** The command that does the same in a terminal. A recipe of one step is a command of its own; several need the recipe in a file. */
export function commandLine(path: string, recipe: Recipe, out: string, passes: readonly PassInfo[]): string {
  const [step, ...more] = recipe.steps;
  if (!step || more.length > 0) return `headroom compress ${quoted(path)} --recipe recipe.json --out ${quoted(out)}`;
  const fields = passes.find(pass => pass.id === step.pass)?.fields ?? {};
  const flags = Object.entries(step.options)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(fields[name]?.default))
    .map(([name, value]) => ` ${flag(name, value)}`);
  return `headroom ${step.pass} ${quoted(path)}${flags.join('')} --out ${quoted(out)}`;
}

function flag(name: string, value: unknown): string {
  const long = name.replaceAll('_', '-');
  if (typeof value === 'boolean') return value ? `--${long}` : `--no-${long}`;
  return `--${long} ${(Array.isArray(value) ? value : [value]).map(each => quoted(String(each))).join(' ')}`;
}

/** For a POSIX shell; what needs no quotes gets none. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
