import { say } from '../core/errors.ts';
import { toFailure } from '../core/session/failure.ts';

/** Writes the answer: the only thing that goes to standard output. */
export function answer(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export const answerJson = (value: unknown): void => answer(JSON.stringify(value));

/** Says what went wrong and what to do; with --json as data. Returns the exit status. */
export function answerFailure(error: unknown, json: boolean): number {
  const { code, message, hint } = toFailure(error);
  const status = code === 'usage' ? 2 : 1;
  if (json) answerJson({ error: { code, message, hint: hint ? say(hint) : null } });
  else process.stderr.write(`headroom: ${message}\n${hint ? `  ${say(hint)}\n` : ''}`);
  return status;
}
