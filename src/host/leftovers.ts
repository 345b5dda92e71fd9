import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Takes away the temporary files of a write that died: beside `out`, or in it when it is a folder, and one folder further down
 * (1_Pooling of a sentence-transformers model). A folder that is empty after that was made by the dead write, and goes too.
 * pid  of the dead process: it is in the names (core/bytes/temporary.ts), so what another process is writing here is left alone.
 */
export async function removeLeftovers(out: string, pid: number): Promise<void> {
  const temporary = new RegExp(`^\\..+\\.headroom-${pid}-[0-9a-f]+\\.tmp$`);
  const isFolder = /[/\\]$/.test(out) || (await stat(out).catch(() => undefined))?.isDirectory() === true;
  const folder = isFolder ? out.replace(/[/\\]$/, '') : dirname(out);
  for (const entry of await entriesOf(folder))
    if (entry.isDirectory() && /^\d+_\w+$/.test(entry.name)) await sweep(join(folder, entry.name), temporary, true);
  await sweep(folder, temporary, isFolder);
}

async function sweep(folder: string, temporary: RegExp, removeEmpty: boolean): Promise<void> {
  const found = (await entriesOf(folder)).filter(({ name }) => temporary.test(name));
  for (const { name } of found) await rm(join(folder, name), { force: true });
  // Refuses a folder that still holds anything.
  if (removeEmpty && found.length > 0) await rmdir(folder).catch(() => undefined);
}

const entriesOf = (folder: string) => readdir(folder, { withFileTypes: true }).catch(() => []);
