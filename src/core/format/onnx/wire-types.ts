import type { ByteSource } from '../../bytes/source.ts';
import type { Node, ValueInfo } from '../../model/graph.ts';
import type { DType } from '../../tensor/dtype.ts';
import type { Span } from '../stored.ts';

// What is found in an ONNX file, before it is a Model: spans instead of data.

/** A run of fields with the same number: [start, end) with their tags. What is not changed is copied run by run. */
export interface Run extends Span {
  readonly number: number;
}

/** TensorProto as it lies in the file. */
export interface WireTensor extends Span {
  name: string;
  dims: number[];
  dataType: number;
  raw: Span | undefined;
  /** float_data 4, int32_data 5, string_data 6, int64_data 7, double_data 10, uint64_data 11. */
  typed: TypedRun[];
  external: [string, string][];
  isExternal: boolean;
  hasSegment: boolean;
}

export interface TypedRun {
  readonly number: number;
  /** 2: one packed run (or one string). Otherwise single elements, each with its tag, in [start, end). */
  readonly wire: number;
  readonly start: number;
  end: number;
}

export interface WireAttribute extends Span {
  name: string;
  type: number;
  float: number;
  integer: number;
  text: string | undefined;
  tensor: WireTensor | undefined;
  graph: WireGraph | undefined;
  floats: number[];
  integers: number[];
  texts: string[];
  /** Holds something that is not understood, or is too long to be read. */
  isOther: boolean;
  /** In a function: the name of the attribute of the call that stands here. */
  refers?: string;
  /** tensors, graphs and sparse tensors in lists: their sizes count, their meaning is not known. */
  loose: WireTensor[];
  graphs: WireGraph[];
}

/** NodeProto; assemble.ts makes a Node of the same object, because a graph may have a million. */
export interface WireNode {
  opType: string;
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: WireAttribute[];
  metadata: [string, string][];
  readonly origin: NodeOrigin;
}

/** A node as it lies in the file: the whole field. What is no longer the object that was read has changed. */
export interface NodeOrigin extends Span {
  source: ByteSource | undefined;
  node: Node | undefined;
}

export interface WireValueInfo extends ValueInfo, Span {
  name: string;
  dtype?: DType;
  shape?: (number | string | undefined)[];
}

export interface WireSparse extends Span {
  values: WireTensor | undefined;
  indices: WireTensor | undefined;
}

export interface WireGraph {
  name: string;
  readonly nodes: WireNode[];
  readonly initializers: WireTensor[];
  readonly sparse: WireSparse[];
  readonly inputs: WireValueInfo[];
  readonly outputs: WireValueInfo[];
  readonly runs: Run[];
}

export interface WireFunction {
  name: string;
  domain: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly defaults: WireAttribute[];
  readonly nodes: WireNode[];
}

export interface WireModel {
  irVersion: number;
  producer: string;
  producerVersion: string;
  readonly opsets: [string, number][];
  graph: WireGraph | undefined;
  readonly metadata: (readonly [string, string])[];
  readonly metadataSpans: Span[];
  readonly functions: WireFunction[];
  readonly training: WireGraph[];
  readonly runs: Run[];
  /** Fields of ModelProto that were recognised. */
  known: number;
}
