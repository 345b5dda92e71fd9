import { readSync } from 'node:fs';
import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fail, HeadroomError, throwIfCancelled } from '../errors.ts';
import type { ByteSource } from './source.ts';

/**
 * A file on disk, read at positions.
 * throws  'not-found', 'io'; reads reject with 'truncated' past the end and 'cancelled'
 */
export async function openFileSource(path: string): Promise<FileSource> {
  const name = basename(path);
  try {
    const handle = await open(path, constants.O_RDONLY | withoutWaiting);
    try {
      const state = await handle.stat({ bigint: true });
      if (!state.isFile()) throw fail('not-found', 'This is not a file.', undefined, { file: name });
      return new FileSource(path, name, handle, Number(state.size), state.mtimeNs);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw fromSystem(error, name);
  }
}

/** Opening a pipe waits for whoever writes into it, maybe for ever. Windows has no such flag, and no such pipes. */
const withoutWaiting = constants.O_NONBLOCK ?? 0;

export class FileSource implements ByteSource {
  readonly path: string;
  readonly name: string;
  readonly byteLength: number;
  readonly #handle: FileHandle;
  readonly #changedAt: bigint;
  #closed = false;

  constructor(path: string, name: string, handle: FileHandle, byteLength: number, changedAt: bigint) {
    this.path = path;
    this.name = name;
    this.byteLength = byteLength;
    this.#handle = handle;
    this.#changedAt = changedAt;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    this.#check(offset, length);
    const into = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    await this.readInto(into, offset, signal);
    return into;
  }

  async readInto(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    this.#check(offset, into.length);
    const isShort = into.length <= longestAtOnce && turn.lasts();
    let done = 0;
    while (done < into.length) {
      let count: number;
      try {
        const length = Math.min(into.length - done, largestRead);
        if (isShort) count = readSync(this.#handle.fd, into, done, length, offset + done);
        else count = (await this.#handle.read(into, done, length, offset + done)).bytesRead;
      } catch (error) {
        throw fromSystem(error, this.name);
      }
      throwIfCancelled(signal);
      if (count === 0) throw changed(this.name);
      done += count;
    }
    if (!isShort) turn.begins();
  }

  /** Looks at the path, not the open handle: a file that was replaced by another of the same name has changed too. */
  async verifyUnchanged(): Promise<void> {
    const state = await stat(this.path, { bigint: true }).catch(() => undefined);
    if (!state || Number(state.size) !== this.byteLength || state.mtimeNs !== this.#changedAt) throw changed(this.name);
  }

  /** The same open file under another name, for messages. */
  named(name: string): FileSource {
    return new FileSource(this.path, name, this.#handle, this.byteLength, this.#changedAt);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  #check(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.byteLength) throw pastEnd(this, offset, length);
  }
}

/** Up to here a read is made on the spot: to hand it to another thread and to be called back takes ten times as long as the reading. */
const longestAtOnce = 16 * 1024;

/** Whoever makes many short reads must let others have their turn (a cancel, a progress message) after so many milliseconds. */
const longestTurn = 15;

/** Since when this process has done nothing but what is going on now, as far as reading tells. */
const turn = {
  since: Number.NEGATIVE_INFINITY,
  lasts: (): boolean => performance.now() - turn.since < longestTurn,
  begins: (): void => {
    turn.since = performance.now();
  },
};

/** Linux reads at most 0x7ffff000 bytes a call. */
const largestRead = 0x7ffff000;

export const pastEnd = (source: ByteSource, offset: number, length: number): HeadroomError =>
  fail(
    'truncated',
    'This file is cut short. {end} bytes are needed, but the file ends at {length}.',
    { end: offset + length, length: source.byteLength },
    { file: source.name, offset },
  );

export const changed = (name: string): HeadroomError =>
  fail('source-changed', 'This file changed while it was read. Open it again.', undefined, { file: name });

/** An error of the operating system as one of ours. */
export function fromSystem(error: unknown, file: string): HeadroomError {
  if (error instanceof HeadroomError) return error;
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return fail('not-found', 'There is no such file.', undefined, { file, cause: error });
  if (code === 'EISDIR') return fail('not-found', 'This is not a file.', undefined, { file, cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return fail('read-only', 'There is no permission for this file or its folder.', undefined, { file, cause: error });
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return fail('disk-full', 'The disk is full. Nothing was written.', undefined, { file, cause: error });
  return fail(
    'io',
    'The system reported {problem}.',
    { problem: error instanceof Error ? error.message : String(error) },
    { file, cause: error },
  );
}
