import { open, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, type HeadroomError } from '../errors.ts';

export const outputExists = (file: string): HeadroomError =>
  fail('output-exists', '{file} exists. Choose another name, or replace it.', { file });

export const diskFull = (need: number, free: number): HeadroomError =>
  fail('disk-full', 'The disk is full: {need} needed, {free} free. Nothing was written.', {
    need: shown(need),
    free: shown(free),
  });

/** Powers of 1,000, as on the screen: 7.1 MB, 590 KB, 768 B. */
function shown(byteLength: number): string {
  if (byteLength < 1000) return `${byteLength} B`;
  if (byteLength < 1e6) return `${(byteLength / 1e3).toFixed(byteLength < 1e4 ? 1 : 0)} KB`;
  return byteLength < 1e9 ? `${(byteLength / 1e6).toFixed(1)} MB` : `${(byteLength / 1e9).toFixed(1)} GB`;
}

/** Free bytes for this user where `path` is or will be; undefined when the system does not say. */
export async function freeBytes(path: string): Promise<number | undefined> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) return undefined;
    }
  }
}

/** Makes the renames last. Windows has no such thing for folders. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    error => (error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ENOTDIR',
  );
