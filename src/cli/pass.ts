import { Command, InvalidArgumentError, Option } from 'commander';
import { say } from '../core/errors.ts';
import type { Field } from '../core/passes/pass.ts';
import type { PassInfo, Session } from '../core/session/types.ts';
import { addOutputOptions, type OutputFlags, runCompress } from './compress.ts';

/** One step as a command of its own: its flags come from the pass's field declarations. */
export function passCommand(session: Session, pass: PassInfo, signal: AbortSignal): Command {
  const command = new Command(pass.id)
    .description(say(pass.summary))
    .argument('<file>', 'a .onnx, a .safetensors, a model.safetensors.index.json, or a folder that holds one');
  const optionsFrom = addPassOptions(command, pass);
  return addOutputOptions(command)
    .addHelpText('after', `\nFollows: ${pass.source}\n\nExample:\n  headroom ${pass.id} model.onnx --out smaller.onnx`)
    .action(async (file: string, flags: OutputFlags & Record<string, unknown>) => {
      await runCompress(session, file, { version: 1, steps: [{ pass: pass.id, options: optionsFrom(flags) }] }, flags, signal);
    });
}

/** Adds the flags of a pass; what it returns takes from all flags those of the pass that were given, by the names a recipe has. */
export function addPassOptions(
  command: Command,
  { fields }: PassInfo,
): (flags: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  const names = new Map<string, string>();
  for (const [name, field] of Object.entries(fields))
    for (const option of optionsOf(name, field)) {
      names.set(option.attributeName(), name);
      command.addOption(option);
    }
  return flags => {
    const given = [...names].filter(([attribute]) => command.getOptionValueSource(attribute) === 'cli');
    return Object.fromEntries(given.map(([attribute, name]) => [name, flags[attribute]]));
  };
}

function optionsOf(name: string, field: Field): Option[] {
  const flag = `--${name.replaceAll('_', '-')}`;
  const help = say(field.help);
  switch (field.kind) {
    case 'flag':
      return [
        new Option(flag, `${help} (default: ${field.default ? 'on' : 'off'})`),
        new Option(flag.replace('--', '--no-'), `not so: ${say(field.label)}`),
      ];
    case 'number':
      return [
        new Option(`${flag} <number>`, `${help}${field.default === null ? '' : ` (default: ${field.default})`}`).argParser(
          number,
        ),
      ];
    case 'choice':
      return [new Option(`${flag} <choice>`, `${help} (default: ${field.default})`).choices(field.choices.map(it => it.value))];
    case 'globs':
      return [new Option(`${flag} <globs...>`, help)];
    case 'integers':
      return [new Option(`${flag} <numbers>`, `${help} Such as "0 2" or "0-2".`)];
    case 'units':
      return [new Option(`${flag} <units>`, `${help} Such as "0:1 3:0,2", or as JSON.`)];
    case 'groups':
      return [new Option(`${flag} <groups>`, `${help} Such as "0-2 3-5", or as JSON.`)];
    case 'by-layer':
      return [new Option(`${flag} <numbers>`, `${help} (default: ${field.default}) One for all layers, or one for each.`)];
    case 'file':
      return [new Option(`${flag} <path>`, help)];
    default:
      return field satisfies never;
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}
