import type { Node } from './graph.ts';
import { readBy } from './reads.ts';

/**
 * The nodes with every producer before its readers. Files are to have them so (ONNX), and most do: then the same list comes back.
 * Kahn's, linear in nodes and edges; nodes of a ring, which no runtime takes, are left out.
 */
export function topological(nodes: readonly Node[]): readonly Node[] {
  const makers = new Map<string, number>();
  const reads = nodes.map(node => [...new Set(readBy(node))]);
  for (const [at, { outputs }] of nodes.entries()) for (const name of outputs) if (name !== '') makers.set(name, at);
  const sources = reads.map((names, at) => names.flatMap(name => makers.get(name) ?? []).filter(maker => maker !== at));
  if (sources.every((list, at) => list.every(maker => maker < at))) return nodes;
  const readers: number[][] = nodes.map(() => []);
  for (const [at, list] of sources.entries()) for (const maker of list) readers[maker]!.push(at);
  const waiting = sources.map(list => list.length);
  const ready = nodes.flatMap((_, at) => (waiting[at] === 0 ? [at] : []));
  for (let next = 0; next < ready.length; next++)
    for (const reader of readers[ready[next]!]!) if (--waiting[reader]! === 0) ready.push(reader);
  return ready.map(at => nodes[at]!);
}
