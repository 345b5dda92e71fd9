import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Engine processes of the extension installed under `extensions`; by /proc, so on Linux only. */
export function engineProcesses(extensions: string): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && commandOf(name).includes(extensions) && commandOf(name).includes('engine.mjs'))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Looks every 20 ms until there is something; throws after `ms`. */
export async function until<T>(what: string, look: () => T | undefined | false, ms = 20_000): Promise<T> {
  for (const started = Date.now(); Date.now() - started < ms; await wait(20)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`${what}: not within ${ms / 1000} s`);
}
