import type { Node } from './graph.ts';

/** What the graphs within a node read, their own values among it. */
export function* capturedBy(node: Node): Generator<string> {
  for (const attribute of node.attributes.values()) {
    if (attribute.type !== 'graph') continue;
    for (const inner of attribute.value.nodes) {
      yield* inner.inputs;
      yield* capturedBy(inner);
    }
    for (const { name } of attribute.value.outputs) yield name;
  }
}

/** What a node reads, and what the graphs within it capture. */
export const readBy = (node: Node): string[] => [...node.inputs, ...capturedBy(node)];
