import protobuf from 'protobufjs/minimal.js';
import type { ByteSource } from '../../bytes/source.ts';
import { Window } from '../../bytes/window.ts';
import { fail, HeadroomError, type Sentence, sentence } from '../../errors.ts';
import { deepestNesting, largestGraph, longestText } from './limits.ts';
import { RecentTexts } from './recent-texts.ts';

/** Numbers and texts at a position of a file, read with protobufjs's Reader in windows; and what can be wrong there. */
export class WireReader {
  readonly source: ByteSource;
  pos: number;
  #memory = 0;
  readonly #window: Window;
  readonly #texts = new RecentTexts();
  #reader: protobuf.Reader = protobuf.Reader.create(new Uint8Array(0));

  constructor(source: ByteSource, pos: number, signal?: AbortSignal) {
    this.source = source;
    this.pos = pos;
    this.#window = new Window(source, signal);
  }

  tag(): number {
    this.#reader.pos = this.pos - this.#window.start;
    const tag = this.#reader.tag();
    this.pos = this.#reader.pos + this.#window.start;
    return tag;
  }

  /** A varint as a signed 64-bit integer; beyond 2^53 the nearest number. Overlong forms are as good as short ones. */
  varint(): number {
    const reader = this.#reader;
    const at = this.pos - this.#window.start;
    const first = reader.buf[at];
    if (first !== undefined && first < 128) {
      this.pos++;
      return first;
    }
    reader.pos = at;
    const value = reader.int64() as unknown as number | { toNumber(): number };
    this.pos = reader.pos + this.#window.start;
    return typeof value === 'number' ? value : value.toNumber();
  }

  /** The fp32 at [at, at + 4), which is in memory. */
  floatAt(at: number): number {
    this.#reader.pos = at - this.#window.start;
    return this.#reader.float();
  }

  /** The text in [start, end), which is in memory. */
  text(start: number, end: number): string {
    return this.#texts.read(this.#window.bytes, start - this.#window.start, end - this.#window.start);
  }

  /** Whether `length` bytes from here, as far as the file reaches, are in memory. */
  covers(length: number): boolean {
    return this.#window.covers(this.pos, length);
  }

  async load(length: number): Promise<void> {
    await this.#window.load(this.pos, length);
    this.#reader = protobuf.Reader.create(this.#window.bytes);
  }

  /** Counts what is kept in memory. */
  charge(bytes: number): void {
    this.#memory += bytes;
    if (this.#memory > largestGraph)
      throw fail(
        'limit',
        'The graph needs more than {limit} bytes of memory. Headroom opens graphs of up to about a million nodes.',
        { limit: largestGraph },
        { file: this.source.name, offset: this.pos },
      );
  }

  tooMany(length: number, offset: number): HeadroomError {
    return fail(
      'limit',
      'A list of numbers has {length} bytes; {limit} are allowed.',
      { length, limit: longestText },
      { file: this.source.name, offset },
    );
  }

  tooDeep(offset: number): HeadroomError {
    return fail(
      'limit',
      'Messages are nested more than {limit} deep.',
      { limit: deepestNesting },
      { file: this.source.name, offset },
    );
  }

  /** A field that reaches to `end`, within a message that ends before. */
  tooFar(end: number, within: number, offset: number): HeadroomError {
    const last = this.source.byteLength;
    if (end > last && within === last)
      return fail(
        'truncated',
        'This file is cut short. Its header describes {a} bytes, but the file ends at {b}.',
        { a: end, b: last },
        { file: this.source.name, offset, hint: sentence('Download or copy the file again.') },
      );
    return this.malformed(sentence('This is not valid ONNX: a field is longer than the message it is in.'), offset);
  }

  malformed(what: Sentence, offset: number): HeadroomError {
    return new HeadroomError('malformed', what, { file: this.source.name, offset });
  }

  /** What protobufjs's Reader throws (RangeError at the end of its bytes, Error for an impossible varint). */
  explain(error: unknown): unknown {
    if (error instanceof HeadroomError) return error;
    const isReaders = error instanceof RangeError || (error instanceof Error && /^invalid \w+ encoding$/.test(error.message));
    if (!isReaders) return error;
    if (this.pos + 20 > this.source.byteLength && error instanceof RangeError)
      return fail('truncated', 'This file is cut short. Its last field is not complete.', undefined, {
        file: this.source.name,
        offset: this.pos,
        hint: sentence('Download or copy the file again.'),
        cause: error,
      });
    return this.malformed(sentence('This is not valid ONNX: a number is longer than ten bytes.'), this.pos);
  }
}
