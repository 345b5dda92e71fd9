import type { Span } from '../stored.ts';
import { cost } from './limits.ts';
import { appended, entry, lastOf, none, sparseMessage, tensorMessage, text } from './tensor-message.ts';
import { valueInfoMessage } from './value-message.ts';
import { type FieldPlace, type Message, type Place, tooLong } from './walk.ts';
import type {
  Run,
  WireAttribute,
  WireFunction,
  WireGraph,
  WireModel,
  WireNode,
  WireSparse,
  WireTensor,
  WireValueInfo,
} from './wire-types.ts';

// The messages of onnx.proto (ONNX 1.23), as far as they are read. What has no rule here is skipped, and copied when written.

/** Adds a field to the runs of a message: neighbours with the same number become one. */
function extend(runs: Run[], at: FieldPlace): number {
  const last = runs.at(-1);
  if (last && last.number === at.number && last.end === at.tag) {
    (last as { end: number }).end = at.end;
    return 0;
  }
  return runs.push({ number: at.number, start: at.tag, end: at.end }) && cost.run;
}

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
    21: 'text',
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
    floats: none,
    integers: none,
    texts: none,
    isOther: false,
    loose: none,
    graphs: none,
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
      case 21:
        state.refers = value as string;
        break;
      case 22:
      case 23:
        for (const tensor of [(value as WireSparse).values, (value as WireSparse).indices])
          if (tensor) state.loose = appended(state.loose, [tensor]);
    }
  },
};

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
    inputs: none,
    outputs: none,
    attributes: none,
    metadata: none,
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
    for (const each of second[key]) (first[key] as unknown[]).push(each);
  if (second.name !== '') first.name = second.name;
  return first;
}

const functionMessage: Message<WireFunction> = {
  rules: {
    1: 'text',
    4: 'text',
    5: 'text',
    7: nodeMessage as Message<never>,
    10: 'text',
    11: attributeMessage as Message<never>,
  },
  begin: () => ({ name: '', domain: '', inputs: [], outputs: [], defaults: [], nodes: [] }),
  field(state, value, { number }) {
    if (number === 1) state.name = text(value);
    if (number === 4) state.inputs.push(text(value));
    if (number === 5) state.outputs.push(text(value));
    if (number === 7 && value) state.nodes.push(value as WireNode);
    if (number === 10) state.domain = text(value);
    if (number === 11 && value) state.defaults.push(value as WireAttribute);
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
