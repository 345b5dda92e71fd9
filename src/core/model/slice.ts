import { fail } from '../errors.ts';
import type { Graph, Node, ValueInfo } from './graph.ts';
import { newNode, withOutputs } from './graph-edit.ts';
import type { Model } from './model.ts';

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
  return {
    ...model,
    tensors,
    graph: {
      ...graph,
      inputs: [...from.filter(({ name }) => read.has(name)), ...inputs],
      // Of the type that the operators make: 16 bits, in a model that was converted.
      outputs: to.map(name => ({ name })),
      nodes,
      initializers,
    },
  };
}

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

/** What a node reads, and what the graphs within it capture. */
function readBy(node: Node): string[] {
  const names = [...node.inputs];
  for (const attribute of node.attributes.values()) {
    if (attribute.type !== 'graph') continue;
    for (const inner of attribute.value.nodes) names.push(...readBy(inner));
    names.push(...attribute.value.outputs.map(({ name }) => name));
  }
  return names;
}

/** A tensor of a graph within a node or of a local function: it goes along with what holds it. */
const isInner = (name: string, graph: Graph): boolean => name.includes('/') && !graph.initializers.includes(name);
