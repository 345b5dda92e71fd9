import type { ByteSource } from '../../bytes/source.ts';
import { sentence } from '../../errors.ts';
import { cost, deepestNesting, longestText } from './limits.ts';
import { WireReader } from './wire-reader.ts';

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
   * After each field, known or not: `value` is what its rule gives (undefined for fields that were skipped). `at` is only good for
   * the time of the call.
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
  const wire = new WireReader(source, start, signal);
  return new Walk(wire).run(message as Message<unknown>, start, end) as Promise<State>;
}

/** A group that has just begun: its fields are passed over, which may take reading on. */
interface Group {
  readonly group: number;
  readonly tag: number;
}

class Walk {
  readonly #wire: WireReader;
  readonly #stack: Frame[] = [];
  /** One for all fields: a graph has millions. */
  readonly #at = { number: 0, wire: 0, tag: 0, start: 0, end: 0 };

  constructor(wire: WireReader) {
    this.#wire = wire;
  }

  async run(message: Message<unknown>, start: number, end: number): Promise<unknown> {
    const wire = this.#wire;
    let top = this.open(message, start, end, 0, start);
    try {
      for (;;) {
        if (wire.pos === top.end) {
          top.message.end?.(top.state, top);
          this.#stack.pop();
          const parent = this.#stack.at(-1);
          if (!parent) return top.state;
          this.take(parent, top.state, top.number, 2, top.tag, top.start, top.end);
          top = parent;
          continue;
        }
        // A tag and a length are at most 20 bytes.
        if (!wire.covers(20)) await wire.load(20);
        const inner = this.step(top);
        if (inner === true) continue;
        if (typeof inner === 'number') {
          wire.charge(inner);
          await wire.load(inner);
        } else if ('group' in inner) await this.skipGroup(top, inner);
        else top = inner;
      }
    } catch (error) {
      throw wire.explain(error);
    }
  }

  /** Takes one field: true. One that begins a message or a group: that. One that is not in memory yet: how many bytes are needed. */
  step(top: Frame): Frame | Group | true | number {
    const wire = this.#wire;
    const tagAt = wire.pos;
    const tag = wire.tag();
    const number = tag >>> 3;
    const type = tag & 7;
    if (number === 0) throw wire.malformed(sentence('This is not valid ONNX: a field has the number 0.'), tagAt);
    if (type === 3) return { group: number, tag: tagAt };
    if (type === 2) return this.delimited(top, number, tagAt);
    this.scalar(top, number, type, tagAt);
    return true;
  }

  /** Text, bytes, packed numbers or a message. */
  delimited(top: Frame, number: number, tagAt: number): Frame | true | number {
    const wire = this.#wire;
    const length = wire.varint();
    const start = wire.pos;
    const end = start + length;
    if (length < 0) throw wire.malformed(sentence('This is not valid ONNX: a field has a negative length.'), tagAt);
    if (end > top.end) throw wire.tooFar(end, top.end, tagAt);
    const rule = top.message.rules[number];
    if (typeof rule === 'object') return this.enter(rule, start, end, number, tagAt);
    const isSkipped = rule === undefined || rule === 'bulk';
    if (isSkipped || length > longestText) {
      if (!isSkipped && rule !== 'text' && !top.message.mayBeLong) throw wire.tooMany(length, tagAt);
      wire.pos = end;
      this.take(top, isSkipped ? undefined : tooLong, number, 2, tagAt, start, end);
      return true;
    }
    if (!wire.covers(length)) {
      wire.pos = tagAt;
      return start - tagAt + length;
    }
    wire.pos = end;
    this.take(top, this.content(rule, start, end), number, 2, tagAt, start, end);
    return true;
  }

  scalar(top: Frame, number: number, type: number, tagAt: number): void {
    const wire = this.#wire;
    const rule = top.message.rules[number];
    const start = wire.pos;
    let value: number[] | undefined;
    if (type === 0) {
      const integer = wire.varint();
      if (rule === 'integers') value = [integer];
    } else if (type === 5 || type === 1) {
      wire.pos += type === 5 ? 4 : 8;
      if (wire.pos > top.end) throw wire.tooFar(wire.pos, top.end, tagAt);
      if (rule === 'floats' && type === 5) value = [wire.floatAt(start)];
    } else throw wire.malformed(sentence('This is not valid ONNX: a field has the wire type {wire}.', { wire: type }), tagAt);
    if (wire.pos > top.end) throw wire.tooFar(wire.pos, top.end, tagAt);
    if (value) wire.charge(cost.field);
    this.take(top, value, number, type, tagAt, start, wire.pos);
  }

  /** Text, or packed numbers, of bytes that are in memory. */
  content(rule: 'text' | 'integers' | 'floats', start: number, end: number): string | number[] {
    const wire = this.#wire;
    if (rule === 'text') {
      wire.charge(cost.text + (end - start));
      return wire.text(start, end);
    }
    const values: number[] = [];
    if (rule === 'integers') {
      wire.pos = start;
      while (wire.pos < end) values.push(wire.varint());
      if (wire.pos !== end) throw wire.malformed(sentence('This is not valid ONNX: a packed field ends within a number.'), start);
    } else {
      if ((end - start) % 4 !== 0)
        throw wire.malformed(sentence('This is not valid ONNX: a packed field ends within a number.'), start);
      for (let at = start; at < end; at += 4) values.push(wire.floatAt(at));
    }
    wire.charge(values.length * 9);
    return values;
  }

  async skipGroup(top: Frame, { group, tag }: Group): Promise<void> {
    const wire = this.#wire;
    const start = wire.pos;
    const open = [group];
    while (open.length > 0) {
      if (wire.pos >= top.end) throw wire.tooFar(wire.pos + 1, top.end, tag);
      if (!wire.covers(20)) await wire.load(20);
      const tagAt = wire.pos;
      const inner = wire.tag();
      const type = inner & 7;
      if (type === 3) {
        open.push(inner >>> 3);
        if (open.length + this.#stack.length > deepestNesting) throw wire.tooDeep(tagAt);
      } else if (type === 4) {
        if (open.pop() !== inner >>> 3)
          throw wire.malformed(sentence('This is not valid ONNX: a group ends that did not begin.'), tagAt);
      } else if (type === 0) wire.varint();
      else if (type === 2) {
        const length = wire.varint();
        if (length < 0) throw wire.malformed(sentence('This is not valid ONNX: a field has a negative length.'), tagAt);
        wire.pos += length;
      } else if (type === 1 || type === 5) wire.pos += type === 1 ? 8 : 4;
      else throw wire.malformed(sentence('This is not valid ONNX: a field has the wire type {wire}.', { wire: type }), tagAt);
      if (wire.pos > top.end) throw wire.tooFar(wire.pos, top.end, tagAt);
    }
    this.take(top, undefined, group, 3, tag, start, wire.pos);
  }

  enter(message: Message<never>, start: number, end: number, number: number, tag: number): Frame {
    const wire = this.#wire;
    if (this.#stack.length >= deepestNesting) throw wire.tooDeep(tag);
    return this.open(message as Message<unknown>, start, end, number, tag);
  }

  open(message: Message<unknown>, start: number, end: number, number: number, tag: number): Frame {
    const wire = this.#wire;
    wire.charge(cost.message);
    const frame: Frame = { message, state: message.begin({ start, end }), start, end, number, tag };
    this.#stack.push(frame);
    return frame;
  }

  take(top: Frame, value: unknown, number: number, wire: number, tag: number, start: number, end: number): void {
    const at = this.#at;
    at.number = number;
    at.wire = wire;
    at.tag = tag;
    at.start = start;
    at.end = end;
    const kept = top.message.field?.(top.state, value, at);
    this.#wire.charge(cost.step + (typeof kept === 'number' ? kept : 0));
  }
}
