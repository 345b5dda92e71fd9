import type { ByteSource } from './source.ts';

/** After a jump over a tensor the next header is small; what follows in sequence is read in ever larger pieces. */
const smallest = 4 * 1024;
const largest = 256 * 1024;

/** The part of a source that is in memory while it is walked forward: small after a jump, growing while fields follow each other. */
export class Window {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  #size = smallest;
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;

  constructor(source: ByteSource, signal?: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Whether [offset, offset + length), as far as the file reaches, is in memory. */
  covers(offset: number, length: number): boolean {
    const end = Math.min(offset + length, this.#source.byteLength);
    return offset >= this.start && end <= this.start + this.bytes.length;
  }

  /** Moves the window so that it starts at `offset` and covers `length` bytes, as far as the file reaches. */
  async load(offset: number, length: number): Promise<void> {
    const end = this.start + this.bytes.length;
    const follows = offset >= this.start && offset <= end;
    this.#size = follows ? Math.min(this.#size * 2, largest) : smallest;
    const reach = Math.min(Math.max(length, this.#size), this.#source.byteLength - offset);
    const kept = follows
      ? this.bytes.subarray(offset - this.start, Math.min(end - this.start, offset - this.start + reach))
      : none;
    const bytes = Buffer.allocUnsafeSlow(reach);
    bytes.set(kept);
    if (kept.length < reach) await this.#source.readInto(bytes.subarray(kept.length), offset + kept.length, this.#signal);
    this.bytes = bytes;
    this.start = offset;
  }
}

const none = new Uint8Array(0);
