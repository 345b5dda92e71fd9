import { fail } from '../errors.ts';
import type { DType } from '../tensor/dtype.ts';
import { floatTypesOf } from './float-type.ts';
import type { Graph, Node, ValueInfo } from './graph.ts';
import { newNode, withInputs, withOutputs } from './graph-edit.ts';
import type { Model } from './model.ts';
import { readBy } from './reads.ts';

/** Values of a graph between which it is cut. */
export interface Cut {
  /** Fed from outside: fp32, with these shapes where they are known. */
  readonly from: readonly ValueInfo[];
  readonly to: readonly string[];
}

/**
 * The part of a model that computes `to` from `from`, as a model of its own that can be written and run. What does not depend on
 * `from` (a mask made of attention_mask, for one) is computed from the model's own inputs, which are kept as far as they are read.
 * throws 'malformed' when a value that is wanted is neither computed nor stored
 */
export function slice(model: Model & { readonly graph: Graph }, { from, to }: Cut): Model & { readonly graph: Graph } {
  const { graph } = model;
  const makers = new Map<string, number>();
  for (const [index, node] of graph.nodes.entries()) for (const name of node.outputs) if (name !== '') makers.set(name, index);
  const fed = new Set(from.map(({ name }) => name));
  const read = new Set<string>();
  const kept = new Set<number>();
  const waiting = [...to];
  while (waiting.length > 0) {
    const name = waiting.pop()!;
    if (name === '' || read.has(name)) continue;
    read.add(name);
    const maker = fed.has(name) ? undefined : makers.get(name);
    if (maker === undefined || kept.has(maker)) continue;
    kept.add(maker);
    waiting.push(...readBy(graph.nodes[maker]!));
  }
  const inputs = graph.inputs.filter(({ name }) => read.has(name) && !fed.has(name));
  const known = new Set([...fed, ...inputs.map(({ name }) => name), ...model.tensors.keys(), ...makers.keys()]);
  const unknown = to.find(name => !known.has(name));
  if (unknown !== undefined)
    throw fail('malformed', 'The graph has no value called “{name}”.', { name: unknown }, { file: model.name });
  const nodes = graph.nodes.filter((_, index) => kept.has(index)).map(node => apartFrom(fed, asInference(node)));
  const constants = new Set(nodes.flatMap(node => (node.opType === 'Constant' ? node.outputs : [])));
  const initializers = graph.initializers.filter(name => read.has(name) && !fed.has(name));
  const stored = new Set([...initializers, ...constants]);
  const tensors = new Map([...model.tensors].filter(([name]) => stored.has(name) || isInner(name, graph)));
  const typeOf = floatTypesOf(graph, model.tensors);
  const ends = new Map([...fed, ...to].map(name => [name, typeOf(name)]));
  return {
    ...model,
    tensors,
    graph: {
      ...graph,
      inputs: [...from.filter(({ name }) => read.has(name)), ...inputs],
      // Of the type that the operators make, where it is not known to be another than fp32.
      outputs: to.map(name => ({ name })),
      nodes: inFloats(nodes, fed, ends),
      initializers,
      // What the file notes of the ends is their type before.
      staleShapes: graph.staleShapes === true || new Set([...(graph.staleShapes ?? []), ...ends.keys()]),
    },
  };
}

/** Numbers go in and come out as fp32; a graph in 16 bits gets casts at its ends, and values of its own between them. */
function inFloats(
  nodes: readonly Node[],
  fed: ReadonlySet<string>,
  ends: ReadonlyMap<string, DType | undefined>,
): readonly Node[] {
  const inner = new Map<string, string>();
  for (const [name, dtype] of ends) if (dtype && castTo.has(dtype)) inner.set(name, `${name}_${dtype}`);
  if (inner.size === 0) return nodes;
  const named = (name: string) => inner.get(name) ?? name;
  const casts = [...inner].map(([name, own]) => {
    const [from, to] = fed.has(name) ? [name, own] : [own, name];
    const attributes = { to: { type: 'int' as const, value: fed.has(name) ? castTo.get(ends.get(name)!)! : 1 } };
    return newNode('Cast', [from], [to], { attributes });
  });
  const isBefore = ({ inputs }: Node) => fed.has(inputs[0]!);
  const between = nodes.map(node => withOutputs(withInputs(node, node.inputs.map(named)), node.outputs.map(named)));
  return [...casts.filter(isBefore), ...between, ...casts.filter(cast => !isBefore(cast))];
}

/** ONNX's numbers of the types that are cast to. */
const castTo: ReadonlyMap<DType, number> = new Map([
  ['fp16', 10],
  ['fp64', 11],
  ['bf16', 16],
]);

/** A node that is kept for another output (EmbedLayerNormalization, for its mask) does not make what is fed. */
const apartFrom = (fed: ReadonlySet<string>, node: Node): Node =>
  node.outputs.some(name => fed.has(name))
    ? withOutputs(
        node,
        node.outputs.map(name => (fed.has(name) ? `${name}_unread` : name)),
      )
    : node;

/** A graph that was exported while training drops at random unless an optimizer sees the whole of it (exporters leave such nodes). */
const asInference = (node: Node): Node =>
  node.opType === 'Dropout' && node.domain === ''
    ? newNode('Identity', node.inputs.slice(0, 1), node.outputs.slice(0, 1), { name: node.name })
    : node;

/** A tensor of a graph within a node or of a local function: it goes along with what holds it. */
const isInner = (name: string, graph: Graph): boolean => name.includes('/') && !graph.initializers.includes(name);
