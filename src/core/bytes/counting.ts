import type { ByteSource } from './source.ts';

/** A source that counts what is read through it: how tests hold "opening a model never reads its weights". */
export class CountingSource implements ByteSource {
  reads = 0;
  bytes = 0;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }
  get name(): string {
    return this.#source.name;
  }
  get byteLength(): number {
    return this.#source.byteLength;
  }
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    this.reads++;
    this.bytes += length;
    return this.#source.read(offset, length, signal);
  }
  readInto(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    this.reads++;
    this.bytes += into.length;
    return this.#source.readInto(into, offset, signal);
  }
  verifyUnchanged(): Promise<void> {
    return this.#source.verifyUnchanged();
  }
  close(): Promise<void> {
    return this.#source.close();
  }
}
