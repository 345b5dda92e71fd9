import type { ByteSource } from '../../bytes/source.ts';
import type { Node, ValueInfo } from '../../model/graph.ts';
import { type DType, dtypeOfOnnx } from '../../tensor/dtype.ts';
import type { Span } from '../stored.ts';
import { cost } from './limits.ts';
import { type FieldPlace, type Message, type Place, tooLong } from './walk.ts';

// The messages of onnx.proto (ONNX 1.23), as far as they are read. What has no rule here is skipped, and copied when written.

/** A run of fields with the same number: [start, end) with their tags. What is not changed is copied run by run. */
export interface Run extends Span {
  readonly number: number;
}

/** TensorProto as it lies in the file. */
export interface WireTensor extends Span {
  name: string;
  readonly dims: number[];
  dataType: number;
  raw: Span | undefined;
  /** float_data 4, int32_data 5, string_data 6, int64_data 7, double_data 10, uint64_data 11. */
  readonly typed: TypedRun[];
  readonly external: [string, string][];
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

/** Adds a field to the runs of a message: neighbours with the same number become one. */
function extend(runs: Run[], at: FieldPlace): number {
  const last = runs.at(-1);
  if (last && last.number === at.number && last.end === at.tag) {
    (last as { end: number }).end = at.end;
    return 0;
  }
  return runs.push({ number: at.number, start: at.tag, end: at.end }) && cost.run;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const lastOf = (values: unknown): number => (values as number[]).at(-1) ?? 0;

const entry: Message<[string, string]> = {
  rules: { 1: 'text', 2: 'text' },
  begin: () => ['', ''],
  field(state, value, { number }) {
    if (number === 1) state[0] = text(value);
    if (number === 2) state[1] = text(value);
  },
};

export const tensorMessage: Message<WireTensor> = {
  rules: {
    1: 'integers',
    2: 'integers',
    3: 'bulk',
    4: 'bulk',
    5: 'bulk',
    6: 'bulk',
    7: 'bulk',
    8: 'text',
    9: 'bulk',
    10: 'bulk',
    11: 'bulk',
    13: entry as Message<never>,
    14: 'integers',
  },
  begin: ({ start, end }) => ({
    name: '',
    dims: [],
    dataType: 0,
    raw: undefined,
    typed: [],
    external: [],
    isExternal: false,
    hasSegment: false,
    start,
    end,
  }),
  field(state, value, at) {
    switch (at.number) {
      case 1:
        if (Array.isArray(value)) for (const size of value) state.dims.push(size);
        break;
      case 2:
        if (value) state.dataType = lastOf(value);
        break;
      case 3:
        state.hasSegment = true;
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        return addTyped(state.typed, at);
      case 8:
        state.name = text(value);
        break;
      case 9:
        if (at.wire === 2) state.raw = { start: at.start, end: at.end };
        break;
      case 13:
        if (value) state.external.push(value as [string, string]);
        break;
      case 14:
        if (value) state.isExternal = lastOf(value) === 1;
    }
    return 0;
  },
};

function addTyped(runs: TypedRun[], { number, wire, tag, start, end }: FieldPlace): number {
  const last = runs.at(-1);
  if (wire === 3) return 0;
  if (wire !== 2 && last && last.number === number && last.wire === wire && last.end === tag) {
    last.end = end;
    return 0;
  }
  return runs.push({ number, wire, start: wire === 2 ? start : tag, end }) && cost.run;
}

const sparseMessage: Message<WireSparse> = {
  rules: { 1: tensorMessage as Message<never>, 2: tensorMessage as Message<never> },
  begin: ({ start, end }) => ({ values: undefined, indices: undefined, start, end }),
  field(state, value, { number }) {
    if (number === 1 && value) state.values = value as WireTensor;
    if (number === 2 && value) state.indices = value as WireTensor;
  },
};

const dimensionMessage: Message<{ size: number | string | undefined }> = {
  rules: { 1: 'integers', 2: 'text' },
  begin: () => ({ size: undefined }),
  field(state, value, { number }) {
    if (number === 1 && value) state.size = lastOf(value);
    if (number === 2 && typeof value === 'string') state.size = value || undefined;
  },
};

const shapeMessage: Message<(number | string | undefined)[]> = {
  rules: { 1: dimensionMessage as Message<never> },
  begin: () => [],
  field(state, value, { number }) {
    if (number === 1 && value) state.push((value as { size: number | string | undefined }).size);
  },
};

type Typed = { dtype?: DType; shape?: (number | string | undefined)[] };
const tensorTypeMessage: Message<Typed> = {
  rules: { 1: 'integers', 2: shapeMessage as Message<never> },
  begin: () => ({}),
  field(state, value, { number }) {
    const dtype = number === 1 && value ? dtypeOfOnnx(lastOf(value)) : undefined;
    if (dtype) state.dtype = dtype;
    if (number === 2 && value) state.shape = value as (number | string | undefined)[];
  },
};

const typeMessage: Message<{ tensor?: Typed }> = {
  rules: { 1: tensorTypeMessage as Message<never> },
  begin: () => ({}),
  field(state, value, { number }) {
    if (number === 1 && value) state.tensor = value as Typed;
  },
};

const valueInfoMessage: Message<WireValueInfo> = {
  rules: { 1: 'text', 2: typeMessage as Message<never> },
  begin: ({ start, end }) => ({ name: '', start, end }),
  field(state, value, { number }) {
    if (number === 1) state.name = text(value);
    if (number === 2 && value) Object.assign(state, (value as { tensor?: Typed }).tensor);
  },
};

const attributeMessage: Message<WireAttribute> = {
  mayBeLong: true,
  // Graphs within attributes are graphs again: graphMessage is put in below.
  rules: {
    1: 'text',
    2: 'floats',
    3: 'integers',
    4: 'text',
    5: tensorMessage as Message<never>,
    7: 'floats',
    8: 'integers',
    9: 'text',
    10: tensorMessage as Message<never>,
    20: 'integers',
    22: sparseMessage as Message<never>,
    23: sparseMessage as Message<never>,
  },
  begin: ({ start, end }) => ({
    name: '',
    type: 0,
    float: 0,
    integer: 0,
    text: undefined,
    tensor: undefined,
    graph: undefined,
    floats: none as number[],
    integers: none as number[],
    texts: none as string[],
    isOther: false,
    loose: none as WireTensor[],
    graphs: none as WireGraph[],
    start,
    end,
  }),
  field(state, value, { number }) {
    if (value === tooLong) state.isOther = true;
    if (value === undefined || value === tooLong) return;
    switch (number) {
      case 1:
        state.name = value as string;
        break;
      case 2:
        state.float = lastOf(value);
        break;
      case 3:
        state.integer = lastOf(value);
        break;
      case 4:
        state.text = value as string;
        break;
      case 5:
        state.tensor = value as WireTensor;
        break;
      case 6:
        state.graph = state.graph ? merged(state.graph, value as WireGraph) : (value as WireGraph);
        break;
      case 7:
        state.floats = appended(state.floats, value as number[]);
        break;
      case 8:
        state.integers = appended(state.integers, value as number[]);
        break;
      case 9:
        state.texts = appended(state.texts, [value as string]);
        break;
      case 10:
        state.loose = appended(state.loose, [value as WireTensor]);
        break;
      case 11:
        state.graphs = appended(state.graphs, [value as WireGraph]);
        break;
      case 20:
        state.type = lastOf(value);
        break;
      case 22:
      case 23:
        for (const tensor of [(value as WireSparse).values, (value as WireSparse).indices])
          if (tensor) state.loose = appended(state.loose, [tensor]);
    }
  },
};

/** Shared by all that have nothing: a graph of a million nodes has many empty lists. */
const none: readonly unknown[] = Object.freeze([]);
function appended<T>(list: T[], values: readonly T[]): T[] {
  if ((list as unknown) === none) return [...values];
  for (const value of values) list.push(value);
  return list;
}

/** One string for all nodes with the same operator. */
const operators = new Map<string, string>();
function shared(name: string): string {
  const known = operators.get(name);
  if (known !== undefined) return known;
  if (operators.size < 10_000) operators.set(name, name);
  return name;
}

const nodeMessage: Message<WireNode> = {
  rules: {
    1: 'text',
    2: 'text',
    3: 'text',
    4: 'text',
    5: attributeMessage as Message<never>,
    7: 'text',
    9: entry as Message<never>,
  },
  begin: ({ start, end }) => ({
    opType: '',
    domain: '',
    name: '',
    inputs: none as string[],
    outputs: none as string[],
    attributes: none as WireAttribute[],
    metadata: none as [string, string][],
    origin: { start, end, source: undefined, node: undefined },
  }),
  field(state, value, { number }) {
    switch (number) {
      case 1:
        state.inputs = appended(state.inputs, [text(value)]);
        break;
      case 2:
        state.outputs = appended(state.outputs, [text(value)]);
        break;
      case 3:
        state.name = text(value);
        break;
      case 4:
        state.opType = shared(text(value));
        break;
      case 5:
        if (value) state.attributes = appended(state.attributes, [value as WireAttribute]);
        break;
      case 7:
        state.domain = text(value) === 'ai.onnx' ? '' : shared(text(value));
        break;
      case 9:
        if (value) state.metadata = appended(state.metadata, [value as [string, string]]);
    }
  },
};

export const graphMessage: Message<WireGraph> = {
  rules: {
    1: nodeMessage as Message<never>,
    2: 'text',
    5: tensorMessage as Message<never>,
    11: valueInfoMessage as Message<never>,
    12: valueInfoMessage as Message<never>,
    15: sparseMessage as Message<never>,
  },
  begin: () => ({ name: '', nodes: [], initializers: [], sparse: [], inputs: [], outputs: [], runs: [] }),
  field(state, value, at) {
    const kept = extend(state.runs, at);
    if (value === undefined) return kept;
    switch (at.number) {
      case 1:
        withField((value as WireNode).origin, at);
        state.nodes.push(value as WireNode);
        break;
      case 2:
        state.name = text(value);
        break;
      case 5:
        state.initializers.push(withField(value as WireTensor, at));
        break;
      case 11:
        state.inputs.push(withField(value as WireValueInfo, at));
        break;
      case 12:
        state.outputs.push(withField(value as WireValueInfo, at));
        break;
      case 15:
        state.sparse.push(value as WireSparse);
    }
    return kept;
  },
};
for (const number of [6, 11]) (attributeMessage.rules as Record<number, unknown>)[number] = graphMessage;

/** From here on a thing's span is that of its whole field, tag and length included: what a copy copies. */
function withField<T extends Span>(thing: T, at: FieldPlace): T {
  (thing as { start: number }).start = at.tag;
  return thing;
}

/** A message field that occurs twice is one message: lists are joined, single values are the last. */
function merged(first: WireGraph, second: WireGraph): WireGraph {
  for (const key of ['nodes', 'initializers', 'sparse', 'inputs', 'outputs', 'runs'] as const)
    appended(first[key] as unknown[], second[key]);
  if (second.name !== '') first.name = second.name;
  return first;
}

const functionMessage: Message<WireFunction> = {
  rules: { 1: 'text', 7: nodeMessage as Message<never>, 10: 'text' },
  begin: () => ({ name: '', domain: '', nodes: [] }),
  field(state, value, { number }) {
    if (number === 1) state.name = text(value);
    if (number === 7 && value) state.nodes.push(value as WireNode);
    if (number === 10) state.domain = text(value);
  },
};

const opsetMessage: Message<[string, number]> = {
  rules: { 1: 'text', 2: 'integers' },
  begin: () => ['', 0],
  field(state, value, { number }) {
    if (number === 1) state[0] = text(value) === 'ai.onnx' ? '' : text(value);
    if (number === 2 && value) state[1] = lastOf(value);
  },
};

const trainingMessage: Message<WireGraph[]> = {
  rules: { 1: graphMessage as Message<never>, 2: graphMessage as Message<never> },
  begin: () => [],
  field(state, value) {
    if (value) state.push(value as WireGraph);
  },
};

export const modelMessage: Message<WireModel> = {
  rules: {
    1: 'integers',
    2: 'text',
    3: 'text',
    7: graphMessage as Message<never>,
    8: opsetMessage as Message<never>,
    14: entry as Message<never>,
    20: trainingMessage as Message<never>,
    25: functionMessage as Message<never>,
  },
  begin: (_: Place) => ({
    irVersion: 0,
    producer: '',
    producerVersion: '',
    opsets: [],
    graph: undefined,
    metadata: [],
    metadataSpans: [],
    functions: [],
    training: [],
    runs: [],
    known: 0,
  }),
  field(state, value, at) {
    const kept = extend(state.runs, at);
    if (value === undefined) return kept;
    state.known++;
    switch (at.number) {
      case 1:
        state.irVersion = lastOf(value);
        break;
      case 2:
        state.producer = text(value);
        break;
      case 3:
        state.producerVersion = text(value);
        break;
      case 7:
        state.graph = state.graph ? merged(state.graph, value as WireGraph) : (value as WireGraph);
        break;
      case 8:
        state.opsets.push(value as [string, number]);
        break;
      case 14:
        state.metadata.push(value as [string, string]);
        state.metadataSpans.push({ start: at.tag, end: at.end });
        break;
      case 20:
        for (const graph of value as WireGraph[]) state.training.push(graph);
        break;
      case 25:
        state.functions.push(value as WireFunction);
    }
    return kept;
  },
};
