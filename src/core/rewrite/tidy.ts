import type { Node } from '../model/graph.ts';
import { capturedBy } from '../passes/uses.ts';
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
  const gone = (name: string) => wasRead.has(name) && !isRead.has(name);
  const initializers = after.graph.initializers.filter(name => !gone(name));
  const constants = new Set(after.graph.initializers);
  const tensors = new Map([...after.tensors].filter(([name]) => !gone(name) || (!constants.has(name) && made.has(name))));
  const inputs = after.graph.inputs.filter(({ name }) => !(gone(name) && constants.has(name)));
  return { ...after, tensors, graph: { ...after.graph, nodes, initializers, inputs } };
}

/** From the last node to the first: a node lives if something behind it, or the graph's outputs, read what it makes. */
function liveNodes(after: GraphModel, wasRead: ReadonlySet<string>): Node[] {
  const read = new Set(after.graph.outputs.map(({ name }) => name));
  const live: Node[] = [];
  // Files may list nodes in any order, so a pass from the back may have to be repeated until nothing changes.
  let candidates = [...after.graph.nodes];
  for (let changed = true; changed; ) {
    changed = false;
    const rest: Node[] = [];
    for (const node of candidates.reverse()) {
      if (node.outputs.some(name => read.has(name) || !wasRead.has(name)) || node.outputs.length === 0) {
        live.push(node);
        changed = true;
        for (const name of node.inputs) read.add(name);
        for (const name of capturedBy(node)) read.add(name);
      } else rest.push(node);
    }
    candidates = rest.reverse();
  }
  const kept = new Set(live);
  return after.graph.nodes.filter(node => kept.has(node));
}

function readNames({ graph }: GraphModel, nodes: readonly Node[]): Set<string> {
  const names = new Set(graph.outputs.map(({ name }) => name));
  for (const node of nodes) {
    for (const name of node.inputs) names.add(name);
    for (const name of capturedBy(node)) names.add(name);
  }
  return names;
}
