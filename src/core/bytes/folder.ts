import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fail } from '../errors.ts';
import { fromSystem, openFileSource } from './file.ts';
import type { ByteSource, Folder } from './source.ts';

/** The folder at `path`, as far as a model file may reach: only what lies in it, whatever name or link asks for more. */
export function fileFolder(path: string): Folder {
  return {
    async open(name: string): Promise<ByteSource | undefined> {
      const inside = insideFolder(name);
      const full = join(path, ...inside);
      if (!(await isFileWithin(path, full, name))) return undefined;
      return (await openFileSource(full)).named(inside.join('/'));
    },
    async list(): Promise<readonly string[]> {
      try {
        const entries = await readdir(path, { withFileTypes: true });
        return entries.filter(entry => entry.isFile() || entry.isSymbolicLink()).map(entry => entry.name);
      } catch (error) {
        throw fromSystem(error, basename(path));
      }
    },
  };
}

/**
 * The segments of a relative name. Both slashes separate, on every system: a model made on Windows must not mean another file here.
 * throws  'outside-folder' for absolute names, drive letters, `..` that leaves the folder, NUL
 */
export function insideFolder(name: string): string[] {
  if (/^([a-z]:|[\\/])/i.test(name) || name.includes('\0')) throw outside(name);
  const segments: string[] = [];
  for (const segment of name.split(/[\\/]/)) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) throw outside(name);
  }
  if (segments.length === 0) throw outside(name);
  return segments;
}

const outside = (name: string) =>
  fail(
    'outside-folder',
    'The model refers to “{name}”, which is outside its folder. Headroom only reads files in the folder of the model.',
    { name },
  );

async function isFileWithin(folder: string, full: string, name: string): Promise<boolean> {
  try {
    const [root, target] = await Promise.all([realpath(folder), realpath(full)]);
    if (!isWithin(root, target) && !isWithin(blobsOf(resolve(folder)), target)) throw outside(name);
    return (await stat(target)).isFile();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return false;
    throw fromSystem(error, name);
  }
}

/**
 * The Hugging Face cache keeps models--X/snapshots/REVISION/NAME as links to models--X/blobs/HASH. Its blobs belong to the folder.
 * '' when the folder is not in such a cache.
 */
function blobsOf(folder: string): string {
  const snapshots = dirname(folder);
  const repository = dirname(snapshots);
  const cached = basename(snapshots) === 'snapshots' && /^(models|datasets|spaces)--/.test(basename(repository));
  return cached ? join(repository, 'blobs') : '';
}

function isWithin(root: string, target: string): boolean {
  if (root === '') return false;
  const path = relative(root, target);
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && resolve(root, path) === target;
}
