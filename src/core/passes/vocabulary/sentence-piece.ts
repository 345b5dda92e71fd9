// SentencePiece's ModelProto: field 1, once for each piece, { 1: text, 2: score, 3: type }; type 1 (or absent) is a usual piece.
// A field is a varint (number << 3 | wire type) and its value: 0 varint, 1 eight bytes, 2 a varint of the length and the bytes, 5 four bytes.

const NORMAL = 1;

interface WireField {
  readonly number: number;
  readonly wire: number;
  /** [start, end) of the whole field, and of the bytes of a message or text. */
  readonly start: number;
  readonly end: number;
  readonly body: number;
  /** Of a varint. */
  readonly value: number;
}

/** The model without the usual pieces whose text is not in `tokens`; everything else byte for byte as it was. */
export function smallerPieceModel(bytes: Uint8Array, tokens: ReadonlySet<string>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of fieldsOf(bytes, 0, bytes.length))
    if (field.number !== 1 || stays(bytes, field, tokens)) parts.push(bytes.subarray(field.start, field.end));
  return new Uint8Array(Buffer.concat(parts));
}

function stays(bytes: Uint8Array, piece: WireField, tokens: ReadonlySet<string>): boolean {
  let [text, type] = ['', NORMAL];
  for (const { number, body, end, value } of fieldsOf(bytes, piece.body, piece.end)) {
    if (number === 1) text = new TextDecoder().decode(bytes.subarray(body, end));
    if (number === 3) type = value;
  }
  return type !== NORMAL || tokens.has(text);
}

/** throws RangeError for what is no message */
function* fieldsOf(bytes: Uint8Array, from: number, to: number): Generator<WireField> {
  for (let at = from; at < to; ) {
    const start = at;
    const [key, afterKey] = varint(bytes, at);
    const [number, wire] = [key >>> 3, key & 7];
    let [body, end, value] = [afterKey, afterKey, 0];
    if (wire === 0) [value, end] = varint(bytes, afterKey);
    else if (wire === 1) end = afterKey + 8;
    else if (wire === 5) end = afterKey + 4;
    else if (wire === 2) {
      [value, body] = varint(bytes, afterKey);
      end = body + value;
    } else throw new RangeError(`wire type ${wire} at byte ${start}`);
    if (end > to) throw new RangeError(`a field ends behind byte ${to}`);
    yield { number, wire, start, end, body, value };
    at = end;
  }
}

/** The number, and where what follows it begins. Enough for lengths and types. */
function varint(bytes: Uint8Array, start: number): [number, number] {
  let [value, scale] = [0, 1];
  for (let at = start; at < bytes.length; at++) {
    value += (bytes[at]! & 127) * scale;
    if (bytes[at]! < 128) return [value, at + 1];
    scale *= 128;
  }
  throw new RangeError(`a number does not end, from byte ${start} on`);
}
