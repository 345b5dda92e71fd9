import protobuf from 'protobufjs/minimal.js';
import type { ByteSource } from '../../bytes/source.ts';
import { Window } from '../../bytes/window.ts';
import { fail, HeadroomError, type Sentence, sentence } from '../../errors.ts';
import { cost, deepestNesting, largestGraph, longestText } from './limits.ts';

// A protobuf message is a run of fields: varint tag = number << 3 | wire, then
//   wire 0  varint      1  8 bytes      2  varint length, that many bytes      3 … 4  group (fields in between)      5  4 bytes

/**
 * How a field is taken. `message` is walked into; `text` is read; `integers` and `floats` are numbers, packed or not;
 * `bulk` is never read: only its place is kept.
 */
export type Rule = 'text' | 'integers' | 'floats' | 'bulk' | Message<never>;

/** A kind of message: what to do with its fields. Fields without a rule, or with another wire type than theirs, are skipped. */
export interface Message<State> {
  readonly rules: Readonly<Record<number, Rule>>;
  /** Whether packed numbers of more than `longestText` bytes may be left in the file, as long texts are. */
  readonly mayBeLong?: boolean;
  begin(at: Place): State;
  /**
   * After each field, known or not: `value` is what its rule gives (undefined for fields that were skipped).
   * A number returned is the bytes of memory that were kept for it.
   */
  field?(state: State, value: unknown, at: FieldPlace): unknown;
  end?(state: State, at: Place): void;
}

export interface Place {
  /** Content of the message: [start, end) in the file. */
  readonly start: number;
  readonly end: number;
}

export interface FieldPlace extends Place {
  readonly number: number;
  readonly wire: number;
  /** Where the field's tag begins; start and end are those of its content. */
  readonly tag: number;
}

/** A text, or packed numbers, longer than `longestText`: left in the file. */
export const tooLong = Symbol('too long');

interface Frame {
  readonly message: Message<unknown>;
  readonly state: unknown;
  readonly start: number;
  readonly end: number;
  /** Of the field in the parent that holds this message. */
  readonly number: number;
  readonly tag: number;
}

/**
 * Walks the message in bytes [start, end) of a file field by field, reading only what its rules ask for. Not recursive: nesting
 * costs no stack. Returns the state of the outermost message.
 * throws  'truncated', 'malformed', 'limit', each with file and offset
 */
export async function walk<State>(
  source: ByteSource,
  message: Message<State>,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<State> {
  return new Walk(source, signal).run(message as Message<unknown>, start, end) as Promise<State>;
}

class Walk {
  readonly source: ByteSource;
  readonly window: Window;
  reader: protobuf.Reader = protobuf.Reader.create(new Uint8Array(0));
  /** Offset in the file of the reader's first byte. */
  base = 0;
  pos = 0;
  memory = 0;
  readonly stack: Frame[] = [];

  constructor(source: ByteSource, signal?: AbortSignal) {
    this.source = source;
    this.window = new Window(source, signal);
  }

  async run(message: Message<unknown>, start: number, end: number): Promise<unknown> {
    this.pos = start;
    let top = this.open(message, start, end, 0, start);
    try {
      for (;;) {
        if (this.pos === top.end) {
          top.message.end?.(top.state, top);
          this.stack.pop();
          const parent = this.stack.at(-1);
          if (!parent) return top.state;
          this.take(parent, top.state, { number: top.number, wire: 2, tag: top.tag, start: top.start, end: top.end });
          top = parent;
          continue;
        }
        // A tag and a length are at most 20 bytes.
        if (!this.covers(20)) await this.load(20);
        const inner = this.step(top);
        if (inner === true) continue;
        if (typeof inner === 'number') await this.takeLater(top, inner);
        else top = inner;
      }
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Reads one field if it is small and in memory: true. A message: its frame. Otherwise how many bytes are needed first. */
  step(top: Frame): Frame | true | number {
    const tagAt = this.pos;
    const tag = this.tag();
    const number = tag >>> 3;
    const wire = tag & 7;
    if (number === 0) throw this.malformed(sentence('This is not valid ONNX: a field has the number 0.'), tagAt);
    if (wire === 3) return this.needGroup(tagAt, number);
    if (wire === 2) {
      const length = this.varint();
      const start = this.pos;
      const end = start + length;
      if (length < 0) throw this.malformed(sentence('This is not valid ONNX: a field has a negative length.'), tagAt);
      if (end > top.end) throw this.tooFar(end, top, tagAt);
      const rule = top.message.rules[number];
      if (typeof rule === 'object') return this.enter(rule, start, end, number, tagAt);
      if (rule === undefined || rule === 'bulk') {
        this.pos = end;
        this.take(top, undefined, { number, wire, tag: tagAt, start, end });
        return true;
      }
      if (length > longestText) {
        if (rule !== 'text' && !top.message.mayBeLong) throw this.tooMany(length, tagAt);
        this.pos = end;
        this.take(top, tooLong, { number, wire, tag: tagAt, start, end });
        return true;
      }
      if (!this.covers(length)) {
        this.pos = tagAt;
        return start - tagAt + length;
      }
      this.pos = end;
      this.take(top, this.content(rule, start, end), { number, wire, tag: tagAt, start, end });
      return true;
    }
    this.scalar(top, number, wire, tagAt);
    return true;
  }

  scalar(top: Frame, number: number, wire: number, tagAt: number): void {
    const rule = top.message.rules[number];
    const start = this.pos;
    let value: number[] | undefined;
    if (wire === 0) {
      const integer = this.varint();
      if (rule === 'integers') value = [integer];
    } else if (wire === 5 || wire === 1) {
      this.pos += wire === 5 ? 4 : 8;
      if (this.pos > top.end) throw this.tooFar(this.pos, top, tagAt);
      if (rule === 'floats' && wire === 5) {
        this.reader.pos = start - this.base;
        value = [this.reader.float()];
      }
    } else throw this.malformed(sentence('This is not valid ONNX: a field has the wire type {wire}.', { wire }), tagAt);
    if (this.pos > top.end) throw this.tooFar(this.pos, top, tagAt);
    if (value) this.charge(cost.field);
    this.take(top, value, { number, wire, tag: tagAt, start, end: this.pos });
  }

  /** Text, or packed numbers, of bytes that are in memory. */
  content(rule: 'text' | 'integers' | 'floats', start: number, end: number): string | number[] {
    if (rule === 'text') {
      this.charge(cost.text + (end - start));
      return this.window.bytes.toString('utf8', start - this.window.start, end - this.window.start);
    }
    const values: number[] = [];
    if (rule === 'integers') {
      this.pos = start;
      while (this.pos < end) values.push(this.varint());
      if (this.pos !== end) throw this.malformed(sentence('This is not valid ONNX: a packed field ends within a number.'), start);
    } else {
      if ((end - start) % 4 !== 0)
        throw this.malformed(sentence('This is not valid ONNX: a packed field ends within a number.'), start);
      this.reader.pos = start - this.base;
      for (let at = start; at < end; at += 4) values.push(this.reader.float());
    }
    this.charge(values.length * 9);
    return values;
  }

  /** Fields that are larger than the window, and groups: the bytes are fetched, then the step is taken again. */
  async takeLater(top: Frame, needed: number): Promise<void> {
    if (needed === group) {
      await this.skipGroup(top);
      return;
    }
    this.charge(needed);
    await this.load(needed);
  }

  groupTag = 0;
  groupNumber = 0;
  needGroup(tagAt: number, number: number): number {
    this.groupTag = tagAt;
    this.groupNumber = number;
    return group;
  }

  async skipGroup(top: Frame): Promise<void> {
    const tag = this.groupTag;
    const start = this.pos;
    const open = [this.groupNumber];
    while (open.length > 0) {
      if (this.pos >= top.end) throw this.tooFar(this.pos + 1, top, tag);
      if (!this.covers(20)) await this.load(20);
      const tagAt = this.pos;
      const inner = this.tag();
      const wire = inner & 7;
      if (wire === 3) {
        open.push(inner >>> 3);
        if (open.length + this.stack.length > deepestNesting) throw this.tooDeep(tagAt);
      } else if (wire === 4) {
        if (open.pop() !== inner >>> 3)
          throw this.malformed(sentence('This is not valid ONNX: a group ends that did not begin.'), tagAt);
      } else if (wire === 0) this.varint();
      else if (wire === 2) {
        const length = this.varint();
        if (length < 0) throw this.malformed(sentence('This is not valid ONNX: a field has a negative length.'), tagAt);
        this.pos += length;
      } else if (wire === 1 || wire === 5) this.pos += wire === 1 ? 8 : 4;
      else throw this.malformed(sentence('This is not valid ONNX: a field has the wire type {wire}.', { wire }), tagAt);
      if (this.pos > top.end) throw this.tooFar(this.pos, top, tagAt);
    }
    this.take(top, undefined, { number: this.groupNumber, wire: 3, tag, start, end: this.pos });
  }

  enter(message: Message<never>, start: number, end: number, number: number, tag: number): Frame {
    if (this.stack.length >= deepestNesting) throw this.tooDeep(tag);
    return this.open(message as Message<unknown>, start, end, number, tag);
  }

  open(message: Message<unknown>, start: number, end: number, number: number, tag: number): Frame {
    this.charge(cost.message);
    const frame: Frame = { message, state: message.begin({ start, end }), start, end, number, tag };
    this.stack.push(frame);
    return frame;
  }

  take(top: Frame, value: unknown, at: FieldPlace): void {
    const kept = top.message.field?.(top.state, value, at);
    this.charge(cost.step + (typeof kept === 'number' ? kept : 0));
  }

  tag(): number {
    this.reader.pos = this.pos - this.base;
    const tag = this.reader.tag();
    this.pos = this.reader.pos + this.base;
    return tag;
  }

  /** A varint as a signed 64-bit integer; beyond 2^53 the nearest number. Overlong forms are as good as short ones. */
  varint(): number {
    const { reader } = this;
    const at = this.pos - this.base;
    const first = reader.buf[at];
    if (first !== undefined && first < 128) {
      this.pos++;
      return first;
    }
    reader.pos = at;
    const value = reader.int64() as unknown as number | { toNumber(): number };
    this.pos = reader.pos + this.base;
    return typeof value === 'number' ? value : value.toNumber();
  }

  covers(length: number): boolean {
    return this.window.covers(this.pos, length);
  }

  async load(length: number): Promise<void> {
    await this.window.load(this.pos, length);
    this.reader = protobuf.Reader.create(this.window.bytes);
    this.base = this.window.start;
  }

  charge(bytes: number): void {
    this.memory += bytes;
    if (this.memory > largestGraph)
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

  tooFar(end: number, top: Frame, offset: number): HeadroomError {
    const last = this.source.byteLength;
    if (end > last && top.end === last)
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

const group = -1;
