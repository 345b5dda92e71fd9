import { fail, throwIfCancelled } from '../errors.ts';
import { changed, pastEnd } from './file.ts';
import { insideFolder } from './folder.ts';
import type { ByteSink, ByteSource, Folder, Output } from './source.ts';

export class MemorySource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  /** Set by a test to stand for a file that changed. */
  isChanged = false;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
    this.byteLength = bytes.length;
  }
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfCancelled(signal);
    if (offset < 0 || length < 0 || offset + length > this.byteLength) throw pastEnd(this, offset, length);
    return new Uint8Array(this.#bytes.subarray(offset, offset + length));
  }
  async readInto(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    into.set(await this.read(offset, into.length, signal));
  }
  async verifyUnchanged(): Promise<void> {
    if (this.isChanged) throw changed(this.name);
  }
  async close(): Promise<void> {}
}

export const memorySource = (name: string, bytes: Uint8Array): MemorySource => new MemorySource(name, bytes);

export type Files = Map<string, Uint8Array>;

export function memoryFolder(files: Iterable<readonly [string, Uint8Array]> = []): Folder {
  const all = files instanceof Map ? (files as Files) : new Map(files);
  return {
    async open(name) {
      const path = insideFolder(name).join('/');
      const bytes = all.get(path);
      return bytes && new MemorySource(path, bytes);
    },
    list: async () => [...all.keys()].filter(name => !name.includes('/')),
  };
}

/** An output whose files land in `files` when it is committed. `capacity` in bytes stands for the size of the disk. */
export function memoryOutput(files: Files, options: { overwrite?: boolean; capacity?: number } = {}): Output {
  const writing = new Map<string, Uint8Array[]>();
  let used = 0;
  const written = (): Files => new Map([...files, ...[...writing].map(([name, chunks]) => [name, join(chunks)] as const)]);
  return {
    async create(name): Promise<ByteSink> {
      if (!options.overwrite && files.has(name))
        throw fail('output-exists', '{file} exists. Choose another name, or replace it.', { file: name });
      const chunks: Uint8Array[] = [];
      writing.set(name, chunks);
      let bytesWritten = 0;
      return {
        name,
        get bytesWritten() {
          return bytesWritten;
        },
        async write(bytes) {
          used += bytes.length;
          if (options.capacity !== undefined && used > options.capacity)
            throw fail('disk-full', 'The disk is full. Nothing was written.', undefined, { file: name });
          chunks.push(new Uint8Array(bytes));
          bytesWritten += bytes.length;
        },
      };
    },
    written: { open: name => memoryFolder(written()).open(name), list: () => memoryFolder(written()).list() },
    async commit() {
      for (const [name, chunks] of writing) files.set(name, join(chunks));
      writing.clear();
    },
    async discard() {
      writing.clear();
    },
  };
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
