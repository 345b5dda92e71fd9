import type { FileHandle } from 'node:fs/promises';
import { diskFull, freeBytes } from './disk.ts';
import { fromSystem } from './file.ts';
import type { ByteSink } from './source.ts';

/** Bytes after which what was written begins to go to the disk, while more is made: little is left to wait for at the end. */
const flushEvery = 16 * 1024 * 1024;

/** A temporary file being written. */
export class FileSink implements ByteSink {
  readonly name: string;
  bytesWritten = 0;
  readonly #handle: FileHandle;
  readonly #folder: string;
  /** Bytes that a flush has begun for. */
  #flushed = 0;
  #flushing: Promise<void> | undefined;
  /** What a flush met: the system tells it once. */
  #problem: unknown;
  #isClosed = false;

  constructor(name: string, handle: FileHandle, folder: string) {
    this.name = name;
    this.#handle = handle;
    this.#folder = folder;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.writeAll([bytes]);
  }

  async writeAll(runs: readonly Uint8Array[]): Promise<void> {
    let left = runs;
    while (left.length > 0) {
      const { bytesWritten } = await this.#attempt(left);
      this.bytesWritten += bytesWritten;
      left = behind(left, bytesWritten);
    }
    if (this.bytesWritten - this.#flushed >= flushEvery) this.#flush();
  }

  end(): void {
    if (this.bytesWritten > this.#flushed) this.#flush();
  }

  /** Waits until all is on the disk. throws what any flush met */
  async sync(): Promise<void> {
    await this.#flushing;
    if (this.#problem) throw this.#problem;
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#flushing;
    await this.#handle.close().catch(() => undefined);
  }

  /** One at a time, beside the writing. */
  #flush(): void {
    if (this.#flushing) return;
    this.#flushed = this.bytesWritten;
    this.#flushing = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#problem ??= error;
      })
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  async #attempt(runs: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }> {
    try {
      const [only] = runs;
      return await (runs.length === 1 ? this.#handle.write(only!) : this.#handle.writev(runs));
    } catch (error) {
      const problem = fromSystem(error, this.name);
      if (problem.code !== 'disk-full') throw problem;
      const left = runs.reduce((sum, { length }) => sum + length, 0);
      throw diskFull(left, (await freeBytes(this.#folder)) ?? 0);
    }
  }
}

/** What is left of the runs behind their first `count` bytes. */
function behind(runs: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count;
  let first = 0;
  while (first < runs.length && skip >= runs[first]!.length) skip -= runs[first++]!.length;
  const left = runs.slice(first);
  if (skip > 0) left[0] = left[0]!.subarray(skip);
  return left;
}
