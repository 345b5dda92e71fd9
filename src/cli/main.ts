import { Command, CommanderError } from 'commander';
import { createSession } from '../core/session/session.ts';
import { answerFailure } from './answer.ts';
import { commandsFor } from './commands.ts';

declare const HEADROOM_VERSION: string;

/** Exit status: 0 done, 1 could not be done, 2 wrong usage. Standard output carries only the answer. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('headroom')
    .description('Shows where the parameters of a BERT-family model are, compresses it, and shows what changed.')
    .version(typeof HEADROOM_VERSION === 'string' ? HEADROOM_VERSION : 'development')
    .showHelpAfterError('(headroom COMMAND -h shows how it is used)')
    .addHelpText('after', '\nExample:\n  headroom quantize model.onnx --out model.int8.onnx');
  for (const command of await commandsFor(argv, createSession(), cancelOnSignals())) program.addCommand(command);
  for (const command of [program, ...program.commands]) command.exitOverride();
  // Options are written as in a recipe (embedding_bits) or as flags usually are (embedding-bits).
  const args = argv.map(arg => (/^--\w+_/.test(arg) ? arg.replace(/^--[^=]+/, flag => flag.replaceAll('_', '-')) : arg));
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return answerFailure(error, args.includes('--json'));
  }
}

function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0);
});
process.exitCode = await main(process.argv.slice(2));
