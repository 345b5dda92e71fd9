import { type Sentence, sentence } from '../errors.ts';
import type { Graph } from '../model/graph.ts';

/** Calls of functions that the file defines itself: their nodes are not looked into. undefined when the graph calls none. */
export function callsFunctions(graph: Graph): Sentence | undefined {
  const defined = new Map(graph.functions.map(({ domain, name }) => [`${domain}::${name}`, name]));
  const called = new Set(graph.nodes.flatMap(node => defined.get(`${node.domain}::${node.opType}`) ?? []));
  if (called.size === 0) return undefined;
  const [first] = called;
  return sentence(
    'Not recognized: its graph calls functions defined in the file ({name}), which Headroom does not look into. Export it with functions inlined.',
    { name: called.size === 1 ? first! : `${first}, …` },
  );
}
