import type { Command } from 'commander';
import type { Session } from '../core/session/types.ts';

type Make = (session: Session, signal: AbortSignal, args: readonly string[]) => Command;

/** The commands that are not passes, in the order in which the help lists them. */
const own: Readonly<Record<string, () => Promise<Make>>> = {
  inspect: async () => (await import('./inspect.ts')).inspectCommand,
  compress: async () => (await import('./compress.ts')).compressCommand,
  compare: async () => (await import('./compare.ts')).compareCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand,
  sensitivity: async () => (await import('./sensitivity.ts')).sensitivityCommand,
};

/**
 * The one command that the first of `args` calls, so that it starts before the others are loaded; all of them where it calls none of
 * these: then it is a pass, a question for help, or wrong.
 */
export async function commandsFor(args: readonly string[], session: Session, signal: AbortSignal): Promise<Command[]> {
  const [name] = args;
  const one = name !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  if (one) return [(await one())(session, signal, args)];
  const [{ passInfos }, { passCommand }, { passesCommand }] = await Promise.all([
    import('../core/session/pass-infos.ts'),
    import('./pass.ts'),
    import('./passes.ts'),
  ]);
  const [inspect, compress, ...rest] = await Promise.all(
    Object.values(own).map(async make => (await make())(session, signal, args)),
  );
  return [inspect!, compress!, ...passInfos.map(pass => passCommand(session, pass, signal)), ...rest, passesCommand(passInfos)];
}
