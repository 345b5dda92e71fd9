import type { ByteSink, ByteSource } from '../bytes/source.ts';
import { fail, throwIfCancelled } from '../errors.ts';
import { joined } from '../tensor/joined.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { WriteOptions } from './format.ts';
import { PlacedTensor } from './stored.ts';

/** What a file is put together from, in order. */
export type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'copy'; readonly source: ByteSource; readonly start: number; readonly end: number; readonly what?: string }
  | { readonly kind: 'tensor'; readonly tensor: Tensor };

/** A file to be written: its length is known before a weight is read. */
export interface FileLayout {
  readonly name: string;
  readonly byteLength: number;
  readonly pieces: readonly Piece[];
  /** The file this is an unchanged copy of. */
  readonly copyOf?: ByteSource;
}

/** Large enough that the disk is the limit, small enough that cancelling is felt at once and memory stays small. */
const chunk = 4 * 1024 * 1024;

export function lengthOf(pieces: readonly Piece[]): number {
  let sum = 0;
  for (const piece of pieces) {
    if (piece.kind === 'bytes') sum += piece.bytes.length;
    else if (piece.kind === 'copy') sum += piece.end - piece.start;
    else sum += piece.tensor.byteLength;
  }
  return sum;
}

/** A tensor as a piece; one that lies in a file in one run is copied from there. */
export const tensorPiece = (tensor: Tensor, name = tensor.name): Piece =>
  tensor instanceof PlacedTensor
    ? {
        kind: 'copy',
        source: tensor.source,
        start: tensor.place.offset,
        end: tensor.place.offset + tensor.byteLength,
        what: name,
      }
    : { kind: 'tensor', tensor };

export const fileOf = (name: string, pieces: readonly Piece[]): FileLayout => ({ name, byteLength: lengthOf(pieces), pieces });

export const copyOf = (source: ByteSource, name: string): FileLayout => ({
  ...fileOf(name, [{ kind: 'copy', source, start: 0, end: source.byteLength }]),
  copyOf: source,
});

/** Appends a copy of [start, end); what continues the last copy makes it longer, so that a large graph is copied in few pieces. */
export function addCopy(pieces: Piece[], source: ByteSource, start: number, end: number): void {
  const last = pieces.at(-1);
  if (last?.kind === 'copy' && last.source === source && last.end === start) pieces[pieces.length - 1] = { ...last, end };
  else pieces.push({ kind: 'copy', source, start, end });
}

/** Shorter runs are gathered before they are written: a graph of thousands of small pieces is some large writes. */
const short = 64 * 1024;

/** Writes files piece by piece, and reports bytes done of all bytes. While one run is on its way to the file the next is made. */
export class PieceWriter {
  readonly #total: number;
  readonly #options: WriteOptions;
  #done = 0;
  #copies: readonly [Uint8Array, Uint8Array] | undefined;
  #gathered: Uint8Array[] = [];
  #gatheredLength = 0;
  /** The write that is under way; at most one. */
  #writing: Promise<void> = Promise.resolve();

  constructor(files: readonly FileLayout[], options: WriteOptions = {}) {
    this.#total = files.reduce((sum, file) => sum + file.byteLength, 0);
    this.#options = options;
  }

  async write(file: FileLayout, sink: ByteSink): Promise<void> {
    const runs = new Runs(file.pieces.flatMap(runsOf), this.#options);
    try {
      for (const piece of file.pieces) {
        if (piece.kind === 'bytes') await this.#put(sink, piece.bytes, file.name);
        else if (piece.kind === 'copy') await this.#copy(sink, piece, piece.what ?? file.name);
        else await this.#tensor(sink, piece.tensor, runs);
      }
      await this.#flush(sink);
    } finally {
      await this.#writing.catch(() => undefined); // whoever closes the file does so after the last write
      await runs.end();
    }
    await this.#writing;
    sink.end?.();
    if (sink.bytesWritten !== file.byteLength)
      throw fail(
        'verify-failed',
        'The written file has {found} bytes instead of {planned}.',
        { found: sink.bytesWritten, planned: file.byteLength },
        { file: file.name },
      );
  }

  /** Reads the next chunk while one is written. */
  async #copy(sink: ByteSink, piece: { source: ByteSource; start: number; end: number }, what: string): Promise<void> {
    const { source, start, end } = piece;
    const read = async (at: number, into: Uint8Array): Promise<Uint8Array> => {
      const part = into.subarray(0, Math.min(chunk, end - at));
      await source.readInto(part, at, this.#options.signal);
      return part;
    };
    const [first, second] = this.#copyBuffers(Math.min(chunk, end - start));
    let [into, free] = [first, second];
    let next: Promise<Uint8Array> | undefined = end > start ? read(start, into) : undefined;
    for (let at = start; next; ) {
      const part: Uint8Array = await next;
      at += part.length;
      [into, free] = [free, into];
      next = at < end ? read(at, into) : undefined;
      next?.catch(() => undefined); // thrown where it is awaited
      try {
        await this.#put(sink, part, what);
        if (part.length >= short) await this.#writing; // the buffer is read into again
      } catch (error) {
        await next?.catch(() => undefined);
        throw error;
      }
    }
  }

  #copyBuffers(length: number): readonly [Uint8Array, Uint8Array] {
    if (!this.#copies || this.#copies[0].length < length) {
      const most = Math.max(length, short);
      this.#copies = [new Uint8Array(most), new Uint8Array(most)];
    }
    return this.#copies;
  }

  async #tensor(sink: ByteSink, tensor: Tensor, runs: Runs): Promise<void> {
    for (let at = 0; at < tensor.byteLength; ) {
      const end = Math.min(at + chunk, tensor.byteLength);
      const bytes = isRun(tensor) ? await runs.next() : await tensor.bytes(at, end, this.#options.signal);
      if (bytes.length !== end - at)
        throw fail('verify-failed', 'The tensor “{name}” gave {found} bytes instead of {planned}.', {
          name: tensor.name,
          found: bytes.length,
          planned: end - at,
        });
      await this.#put(sink, bytes, tensor.name);
      at = end;
    }
  }

  /** `bytes` must stay as they are until #writing has settled. */
  async #put(sink: ByteSink, bytes: Uint8Array, what: string): Promise<void> {
    throwIfCancelled(this.#options.signal);
    if (bytes.length < short) {
      this.#gathered.push(bytes.slice());
      this.#gatheredLength += bytes.length;
      if (this.#gatheredLength >= chunk) await this.#flush(sink);
    } else await this.#flush(sink, bytes);
    this.#done += bytes.length;
    this.#options.progress?.(this.#done, this.#total, what);
  }

  /** Writes what was gathered, and what comes behind it. */
  async #flush(sink: ByteSink, behind?: Uint8Array): Promise<void> {
    const runs = this.#gatheredLength === 0 ? [] : [joined(this.#gathered, this.#gatheredLength)];
    this.#gathered = [];
    this.#gatheredLength = 0;
    if (behind) runs.push(behind);
    if (runs.length === 0) return;
    await this.#writing;
    this.#writing = writeAll(sink, runs);
    this.#writing.catch(() => undefined); // thrown where it is awaited next
  }
}

/** Bytes [start, end) of a tensor that puts them where they are wanted. */
interface Run {
  readonly tensor: Tensor;
  readonly start: number;
  readonly end: number;
}

const isRun = ({ bytesInto, byteLength }: Tensor): boolean => bytesInto !== undefined && byteLength >= short;

function runsOf(piece: Piece): Run[] {
  if (piece.kind !== 'tensor' || !isRun(piece.tensor)) return [];
  const { tensor } = piece;
  return Array.from({ length: Math.ceil(tensor.byteLength / chunk) }, (_, i) => ({
    tensor,
    start: i * chunk,
    end: Math.min(tensor.byteLength, (i + 1) * chunk),
  }));
}

/** One run is on its way to the file, one is awaited, one is made ahead. */
const runBuffers = 3;

/** Runs in order, each in one of three buffers in turn. Where a tensor allows it its run is begun while the one in front is still made. */
class Runs {
  readonly #runs: readonly Run[];
  readonly #options: WriteOptions;
  readonly #buffers: Uint8Array[] = [];
  /** Those that were begun and not asked for. */
  readonly #begun: Promise<Uint8Array>[] = [];
  #next = 0;

  constructor(runs: readonly Run[], options: WriteOptions) {
    this.#runs = runs;
    this.#options = options;
  }

  /** The bytes of the next run. All but the last of those that were asked for before must be written. */
  next(): Promise<Uint8Array> {
    const own = this.#begun.shift() ?? this.#begin();
    if (this.#runs[this.#next]?.tensor.ahead) this.#begun.push(this.#begin());
    return own;
  }

  /** Waits until nothing is made any more. All that was asked for must be written. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#begun);
    for (const buffer of this.#buffers.splice(0)) this.#options.buffers?.giveBack(buffer);
  }

  #begin(): Promise<Uint8Array> {
    const turn = this.#next % runBuffers;
    const { tensor, start, end } = this.#runs[this.#next++]!;
    this.#buffers[turn] ??= this.#buffer();
    const into = this.#buffers[turn].subarray(0, end - start);
    const made = tensor.bytesInto!(into, start, this.#options.signal).then(() => into);
    made.catch(() => undefined); // thrown where it is awaited
    return made;
  }

  /** For the longest of the runs. */
  #buffer(): Uint8Array {
    const byteLength = this.#runs.reduce((most, { start, end }) => Math.max(most, end - start), 0);
    return this.#options.buffers?.borrow(byteLength) ?? new Uint8Array(byteLength);
  }
}

async function writeAll(sink: ByteSink, runs: readonly Uint8Array[]): Promise<void> {
  if (sink.writeAll) await sink.writeAll(runs);
  else for (const run of runs) await sink.write(run);
}
