import type { Node } from '../model/graph.ts';
import { readBy } from '../model/reads.ts';
import type { GraphModel } from './draft.ts';

/**
 * Takes away what a rewrite left without a reader: nodes none of whose outputs is read any more, initializers, and the graph inputs
 * that stood for them. What had no reader before stays: it was not changed.
 */
export function tidy(before: GraphModel, after: GraphModel): GraphModel {
  const wasRead = readNames(before, before.graph.nodes);
  const nodes = liveNodes(after, wasRead);
  const isRead = readNames(after, nodes);
  const made = new Set(nodes.flatMap(node => node.outputs));
  const constants = new Set(after.graph.initializers);
  const unread = (name: string) => wasRead.has(name) && !isRead.has(name);
  // An initializer that a node makes now (DequantizeLinear, for readers that need floats) would be defined twice.
  const isGone = (name: string) => (constants.has(name) ? unread(name) || made.has(name) : unread(name) && !made.has(name));
  const initializers = after.graph.initializers.filter(name => !isGone(name));
  const tensors = new Map([...after.tensors].filter(([name]) => !isGone(name)));
  const inputs = after.graph.inputs.filter(({ name }) => !(constants.has(name) && isGone(name)));
  return { ...after, tensors, graph: { ...after.graph, nodes, initializers, inputs } };
}

/** Nodes that an output of the graph comes from, and those that nobody read before either, with what they come from. In any order of the file. */
function liveNodes(after: GraphModel, wasRead: ReadonlySet<string>): Node[] {
  const producers = new Map<string, Node>();
  for (const node of after.graph.nodes) for (const name of node.outputs) producers.set(name, node);
  const outputs = new Set(after.graph.outputs.map(({ name }) => name));
  const isEnd = (node: Node) => node.outputs.length === 0 || node.outputs.some(name => outputs.has(name) || !wasRead.has(name));
  const waiting = after.graph.nodes.filter(isEnd);
  const live = new Set(waiting);
  for (let node = waiting.pop(); node; node = waiting.pop())
    for (const name of readBy(node)) {
      const producer = producers.get(name);
      if (!producer || live.has(producer)) continue;
      live.add(producer);
      waiting.push(producer);
    }
  return after.graph.nodes.filter(node => live.has(node));
}

function readNames({ graph }: GraphModel, nodes: readonly Node[]): Set<string> {
  const names = new Set(graph.outputs.map(({ name }) => name));
  for (const node of nodes) for (const name of readBy(node)) names.add(name);
  return names;
}
