import type { ByteSource, Folder, Output } from '../bytes/source.ts';
import type { Model } from '../model/model.ts';

/** Bytes done and bytes in all of what is being written, and what is being worked on. */
export type Progress = (done: number, total: number, what: string) => void;

export interface WriteOptions {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Where buffers come from that tensors are computed into, and go back to; they hold anything. */
  readonly buffers?: Buffers;
}

export interface Buffers {
  /** At least so many bytes. */
  borrow(byteLength: number): Uint8Array;
  giveBack(buffer: Uint8Array): void;
}

/** Bytes <-> Model. A format is a folder and a line in the registry. */
export interface Format {
  readonly id: Model['format'];
  /** From the first bytes (up to 64) and the file's name; content decides where it can. */
  matches(head: Uint8Array, name: string): boolean;
  /** Reads headers only. Rejects with a HeadroomError that names file and offset. */
  open(source: ByteSource, beside: Folder, signal?: AbortSignal): Promise<Model>;
  /** Exact length of each file that `write` would write for `name`, without reading a weight. The first is the model file itself. */
  plan(model: Model, name: string): Promise<readonly { readonly name: string; readonly byteLength: number }[]>;
  /**
   * Writes the model under `name` (and side files: external data, shards). What was not changed is copied byte for byte; an
   * untouched model gives the same bytes. config.json and tokenizer files are not the format's business.
   */
  write(model: Model, output: Output, name: string, options?: WriteOptions): Promise<void>;
}
