import onnxProto from 'onnx-proto';
import { fail } from '../../errors.ts';
import type { Attribute, Node, ValueInfo } from '../../model/graph.ts';
import { dtypes } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { lengthOf, type Piece } from '../pieces.ts';

// What did not come from the file is encoded here, message by message, with onnx-proto. Its schema is that of ONNX 1.10: the fields
// used here are older, and dtype codes are only numbers to it.

const { onnx } = onnxProto;

export const bytesPiece = (bytes: Uint8Array): Piece => ({ kind: 'bytes', bytes });

/** Tag and length of a field that holds `length` bytes. */
export function fieldHeader(number: number, length: number): Uint8Array {
  const bytes: number[] = [];
  for (const value of [number * 8 + 2, length]) {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

/** A field that holds a message put together from pieces. */
export const messageField = (number: number, content: readonly Piece[]): Piece[] => [
  bytesPiece(fieldHeader(number, lengthOf(content))),
  ...content,
];

export const bytesField = (number: number, content: Uint8Array): Piece[] => messageField(number, [bytesPiece(content)]);

/** TensorProto with raw_data; the data itself is streamed. */
export function encodeTensor(tensor: Tensor, name: string): Piece[] {
  return [bytesPiece(tensorHead(tensor, name)), bytesPiece(fieldHeader(9, tensor.byteLength)), { kind: 'tensor', tensor }];
}

/** TensorProto without its data. */
export function tensorHead({ dtype, shape }: Tensor, name: string): Uint8Array {
  const dataType = dtypes[dtype].onnx;
  if (dataType === undefined)
    throw fail('unsupported', 'ONNX cannot store the tensor “{name}”: it has no type for {dtype}.', { name, dtype });
  return onnx.TensorProto.encode({ dims: [...shape], dataType, name }).finish();
}

/** external_data and data_location of a TensorProto. */
export function externalFields(location: string, offset: number, length: number): Uint8Array {
  const entries = { location, offset: String(offset), length: String(length) };
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  return onnx.TensorProto.encode({ externalData, dataLocation: 1 }).finish();
}

export function encodeValueInfo({ name, dtype, shape }: ValueInfo): Uint8Array {
  if (dtype === undefined) return onnx.ValueInfoProto.encode({ name }).finish();
  const elemType = dtypes[dtype].onnx ?? 0;
  const dim = shape?.map(size => (typeof size === 'number' ? { dimValue: size } : size === undefined ? {} : { dimParam: size }));
  return onnx.ValueInfoProto.encode({ name, type: { tensorType: { elemType, ...(dim ? { shape: { dim } } : {}) } } }).finish();
}

/** One field of NodeProto, by the name it has in Node. Attributes are encoded on their own. */
export function encodeNodeField(node: Node, field: 'inputs' | 'outputs' | 'name' | 'opType' | 'domain' | 'metadata'): Uint8Array {
  switch (field) {
    case 'inputs':
      return onnx.NodeProto.encode({ input: [...node.inputs] }).finish();
    case 'outputs':
      return onnx.NodeProto.encode({ output: [...node.outputs] }).finish();
    case 'name':
      return onnx.NodeProto.encode({ name: node.name }).finish();
    case 'opType':
      return onnx.NodeProto.encode({ opType: node.opType }).finish();
    case 'domain':
      return node.domain === '' ? new Uint8Array(0) : onnx.NodeProto.encode({ domain: node.domain }).finish();
    case 'metadata':
      return encodeEntries(9, Object.entries(node.metadata));
  }
}

/** StringStringEntryProto fields, which onnx-proto does not know in every message. */
export function encodeEntries(number: number, entries: readonly (readonly [string, string])[]): Uint8Array {
  return Buffer.concat(
    entries.flatMap(([key, value]) => {
      const content = onnx.StringStringEntryProto.encode({ key, value }).finish();
      return [fieldHeader(number, content.length), content];
    }),
  );
}

export const encodeOpset = (domain: string, version: number): Uint8Array =>
  onnx.OperatorSetIdProto.encode(domain === '' ? { version } : { domain, version }).finish();

export const encodeModelFields = (fields: { irVersion?: number; producerName?: string }): Uint8Array =>
  onnx.ModelProto.encode(fields).finish();

export const encodeGraphName = (name: string): Uint8Array => onnx.GraphProto.encode({ name }).finish();

/** AttributeProto of a plain value: everything but tensors and graphs. */
export function encodePlainAttribute(name: string, attribute: Attribute): Uint8Array {
  switch (attribute.type) {
    case 'float':
      return onnx.AttributeProto.encode({ name, type: 1, f: attribute.value }).finish();
    case 'int':
      return onnx.AttributeProto.encode({ name, type: 2, i: int64(attribute.value) }).finish();
    case 'string':
      return onnx.AttributeProto.encode({ name, type: 3, s: Buffer.from(attribute.value) }).finish();
    case 'floats':
      return onnx.AttributeProto.encode({ name, type: 6, floats: [...attribute.value] }).finish();
    case 'ints':
      return onnx.AttributeProto.encode({ name, type: 7, ints: attribute.value.map(int64) }).finish();
    case 'strings':
      return onnx.AttributeProto.encode({ name, type: 8, strings: attribute.value.map(text => Buffer.from(text)) }).finish();
    default:
      throw fail('unsupported', 'The attribute “{name}” cannot be written.', { name });
  }
}

/** "To the end" is written as the largest int64, which as a number is 2^63: one too many. */
function int64(value: number): number {
  return value >= 2 ** 63 ? (largestInt64 as unknown as number) : value;
}
const largestInt64 = { low: -1, high: 0x7fffffff, unsigned: false };
