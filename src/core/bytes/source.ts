/** A file, or anything like one, that is read in ranges. */
export interface ByteSource {
  /** Name without folder, shown in errors: "model.safetensors". */
  readonly name: string;
  readonly byteLength: number;
  /** Exactly `length` bytes from `offset`, or rejects: 'truncated' past the end, 'cancelled', 'source-changed', 'io'. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The same into a buffer the caller owns (a WebAssembly memory, for one): fills all of `into`. */
  readInto(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void>;
  /** Rejects with 'source-changed' when length or time of change differ from when it was opened. */
  verifyUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** The files beside the one opened: config.json, vocab.txt, shards, external data. */
export interface Folder {
  /** undefined: no such file. Rejects with 'outside-folder' for absolute names, drive letters, `..` that leaves the folder, and links that leave it. */
  open(name: string): Promise<ByteSource | undefined>;
  /** Names of the files directly in the folder. */
  list(): Promise<readonly string[]>;
}

/** One file being written. Bytes go to a temporary file until the output that owns it is committed. */
export interface ByteSink {
  readonly name: string;
  readonly bytesWritten: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Several runs, one behind the other, where that takes one call of the system. */
  writeAll?(runs: readonly Uint8Array[]): Promise<void>;
  /** Nothing more is written: what was may begin to go to the disk for good, while it is checked. */
  end?(): void;
}

/**
 * One or more files that appear together or not at all.
 * Temporary files live in the target folder; commit flushes them to disk (fsync) and renames; discard leaves nothing behind.
 */
export interface Output {
  create(name: string): Promise<ByteSink>;
  /** Rejects with 'disk-full' when there is no room for so many bytes. */
  reserve?(byteLength: number): Promise<void>;
  /** Whether this very file is already where `name` would be written: what a model refers to needs no copy in its own folder. */
  holds?(source: ByteSource, name: string): Promise<boolean>;
  /** The folder as it will be after `commit`, to be opened and checked before. */
  readonly written: Folder;
  commit(): Promise<void>;
  discard(): Promise<void>;
}
