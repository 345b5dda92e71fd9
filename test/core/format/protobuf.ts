/** Protobuf by hand: what an encoder would not write (overlong numbers, unknown fields, odd orders) can be written too. */
export type Bytes = Uint8Array;

/** `length` pads a varint to that many bytes: overlong, but valid. */
export function varint(value: number | bigint, length = 0): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  } while (rest > 0n);
  while (bytes.length < length) bytes.push(128);
  bytes[bytes.length - 1]! &= 127;
  return Uint8Array.from(bytes);
}

export const join = (...parts: readonly (Bytes | string)[]): Bytes =>
  new Uint8Array(Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part))));

/** Wire type 2: bytes, text or a message. */
export function field(number: number, ...content: readonly (Bytes | string)[]): Bytes {
  const bytes = join(...content);
  return join(varint(number * 8 + 2), varint(bytes.length), bytes);
}

/** Wire type 0. */
export const integer = (number: number, value: number | bigint): Bytes => join(varint(number * 8), varint(value));

/** Wire types 3 and 4. */
export const group = (number: number, ...content: readonly Bytes[]): Bytes =>
  join(varint(number * 8 + 3), ...content, varint(number * 8 + 4));

export const floats = (...values: readonly number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);

export const rawTensor = (
  name: string,
  dataType: number,
  dims: readonly number[],
  raw: Bytes,
  ...more: readonly Bytes[]
): Bytes => join(...dims.map(size => integer(1, size)), integer(2, dataType), field(8, name), field(9, raw), ...more);

export const externalTensor = (name: string, dims: readonly number[], keys: Readonly<Record<string, string>>): Bytes =>
  join(
    ...dims.map(size => integer(1, size)),
    integer(2, 1),
    field(8, name),
    ...Object.entries(keys).map(([key, value]) => field(13, field(1, key), field(2, value))),
    integer(14, 1),
  );

export const node = (opType: string, inputs: readonly string[], outputs: readonly string[], ...more: readonly Bytes[]): Bytes =>
  join(...inputs.map(name => field(1, name)), ...outputs.map(name => field(2, name)), field(4, opType), ...more);

/** A float tensor of a shape, as an input or output. */
export const value = (name: string, ...shape: readonly (number | string)[]): Bytes =>
  join(
    field(1, name),
    field(
      2,
      field(
        1,
        integer(1, 1),
        field(2, ...shape.map(size => field(1, typeof size === 'number' ? integer(1, size) : field(2, size)))),
      ),
    ),
  );

export const opset = (version: number): Bytes => field(8, field(1, ''), integer(2, version));

/** A model of ir_version 8 and opset 17 around the fields of a graph. */
export const model = (...graphFields: readonly Bytes[]): Bytes => join(integer(1, 8), opset(17), field(7, ...graphFields));

/** y = x * w + b: runs in onnxruntime. */
export const linear = (...more: readonly Bytes[]): Bytes =>
  model(
    field(1, node('MatMul', ['x', 'w'], ['m'])),
    field(1, node('Add', ['m', 'b'], ['y'])),
    field(2, 'g'),
    field(5, rawTensor('w', 1, [2, 3], floats(1, 2, 3, 4, 5, 6))),
    field(5, rawTensor('b', 1, [3], floats(0.5, -0.5, 0))),
    field(11, value('x', 'n', 2)),
    field(12, value('y', 'n', 3)),
    ...more,
  );
