import { link, mkdir, open, readdir, realpath, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { diskFull, exists, freeBytes, outputExists, syncFolder } from './disk.ts';
import { FileSource, fromSystem, openFileSource } from './file.ts';
import { FileSink } from './file-sink.ts';
import { fileFolder, insideFolder } from './folder.ts';
import type { ByteSink, ByteSource, Folder, Output } from './source.ts';
import { guardFile, guardFolder, release, temporaryName } from './temporary.ts';

export interface OutputOptions {
  /** Whether files that exist are replaced. */
  readonly overwrite: boolean;
}

/**
 * An output in the folder at `path`, which is made when the first file is.
 * throws  from create and commit: 'output-exists', 'read-only', 'disk-full', 'io'
 */
export async function openOutput(path: string, options: OutputOptions): Promise<Output> {
  return new FileOutput(resolve(path), options.overwrite);
}

/** A file being written, and where it will be. */
interface Pending {
  readonly name: string;
  readonly temporary: string;
  readonly target: string;
  readonly sink: FileSink;
}

class FileOutput implements Output {
  readonly written: Folder;
  readonly #path: string;
  readonly #overwrite: boolean;
  readonly #pending = new Map<string, Pending>();
  readonly #madeFolders: string[] = [];

  constructor(path: string, overwrite: boolean) {
    this.#path = path;
    this.#overwrite = overwrite;
    this.written = { open: name => this.#openWritten(name), list: () => this.#listWritten() };
  }

  async create(name: string): Promise<ByteSink> {
    const target = join(this.#path, ...insideFolder(name));
    if (!this.#overwrite && (await exists(target))) throw outputExists(name);
    const folder = dirname(target);
    const temporary = join(folder, temporaryName(name.split(/[\\/]/).at(-1)!));
    try {
      await this.#makeFolder(folder);
      guardFile(temporary);
      const handle = await open(temporary, 'wx', 0o666);
      const sink = new FileSink(name, handle, folder);
      this.#pending.set(name, { name, temporary, target, sink });
      return sink;
    } catch (error) {
      release(temporary);
      throw fromSystem(error, name);
    }
  }

  async reserve(byteLength: number): Promise<void> {
    const free = await freeBytes(this.#path);
    if (free !== undefined && free < byteLength) throw diskFull(byteLength, free);
  }

  async holds(source: ByteSource, name: string): Promise<boolean> {
    if (!(source instanceof FileSource)) return false;
    const [here, there] = await Promise.all([
      realpath(join(this.#path, ...insideFolder(name))).catch(() => undefined),
      realpath(source.path).catch(() => ''),
    ]);
    return here === there;
  }

  /** Everything is on the disk under its temporary name before the first rename: after that only a crash of the system can interfere. */
  async commit(): Promise<void> {
    const done: Pending[] = [];
    try {
      await Promise.all([...this.#pending.values()].map(({ sink }) => sink.sync()));
      for (const { sink } of this.#pending.values()) await sink.close();
      // Side files first: a model file that is there has all it refers to.
      for (const file of [...this.#pending.values()].reverse()) {
        await this.#place(file);
        done.push(file);
      }
    } catch (error) {
      if (!this.#overwrite) for (const { target } of done) await unlink(target).catch(() => undefined);
      throw fromSystem(error, [...this.#pending.values()].find(file => !done.includes(file))?.name ?? '');
    }
    for (const folder of this.#madeFolders) release(folder);
    await Promise.all([...new Set(done.map(file => dirname(file.target)))].map(syncFolder));
    this.#pending.clear();
    this.#madeFolders.length = 0;
  }

  async discard(): Promise<void> {
    for (const file of this.#pending.values()) {
      await file.sink.close();
      await unlink(file.temporary).catch(() => undefined);
      release(file.temporary);
    }
    this.#pending.clear();
    for (const folder of this.#madeFolders.reverse()) {
      await rmdir(folder).catch(() => undefined);
      release(folder);
    }
    this.#madeFolders.length = 0;
  }

  /** A link refuses to replace a file that appeared meanwhile; a rename would not. Not every file system has links. */
  async #place({ name, temporary, target }: Pending): Promise<void> {
    if (this.#overwrite) await rename(temporary, target);
    else {
      try {
        await link(temporary, target);
        await unlink(temporary);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw outputExists(name);
        if (await exists(target)) throw error;
        await rename(temporary, target);
      }
    }
    release(temporary);
  }

  async #makeFolder(path: string): Promise<void> {
    const missing: string[] = [];
    for (let folder = path; !(await exists(folder)) && dirname(folder) !== folder; folder = dirname(folder))
      missing.unshift(folder);
    for (const folder of missing) {
      await mkdir(folder);
      guardFolder(folder);
      this.#madeFolders.push(folder);
    }
  }

  async #openWritten(name: string): Promise<ByteSource | undefined> {
    const pending = this.#pending.get(name);
    if (!pending) return fileFolder(this.#path).open(name);
    const source = await openFileSource(pending.temporary);
    return source.named(name);
  }

  async #listWritten(): Promise<readonly string[]> {
    const there = await readdir(this.#path).catch((): string[] => []);
    const visible = there.filter(name => !/^\..*\.headroom-\d+-[0-9a-f]{8}\.tmp$/.test(name));
    return [...new Set([...visible, ...[...this.#pending.keys()].filter(name => !/[\\/]/.test(name))])];
  }
}
