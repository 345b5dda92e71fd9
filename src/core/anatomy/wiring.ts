import type { Graph, Node } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import { topological } from '../model/topological.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Who makes a value and who reads it: one pass over the nodes, then every question is a look-up. */
export interface Wiring {
  readonly graph: Graph;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Every node once, each behind the nodes it reads from. Nodes on a cycle (a malformed file) are left out. */
  readonly order: readonly Node[];
  readonly producer: ReadonlyMap<string, Node>;
  readonly consumers: ReadonlyMap<string, readonly Node[]>;
  /** Inputs a caller feeds: not those that an initializer gives a default. */
  readonly fed: ReadonlySet<string>;
  /** Values that are stored tensors reshaped into matrices, and their rows and columns, see reshapedMatrices. */
  readonly reshaped?: ReadonlyMap<string, readonly [number, number]>;
  /** Stored masks that are known to hide nothing, see openMasks. */
  readonly open?: ReadonlySet<string>;
}

const none: readonly Node[] = [];

export function wire(graph: Graph, tensors: Model['tensors']): Wiring {
  const producer = new Map<string, Node>();
  const consumers = new Map<string, Node[]>();
  let isOrdered = true;
  const take = (node: Node) => {
    for (const input of node.inputs) {
      if (input === '') continue;
      const readers = consumers.get(input);
      if (!readers) consumers.set(input, [node]);
      else if (readers.at(-1) !== node) readers.push(node);
    }
    for (const output of node.outputs) {
      if (output === '') continue;
      if (consumers.has(output)) isOrdered = false;
      producer.set(output, node);
    }
  };
  for (let at = 0; at < graph.nodes.length; at++) take(graph.nodes[at]!);
  const fed = new Set(graph.inputs.map(input => input.name).filter(name => !tensors.has(name)));
  return { graph, tensors, producer, consumers, fed, order: isOrdered ? graph.nodes : topological(graph.nodes) };
}

export const consumersOf = (wiring: Wiring, value: string): readonly Node[] => wiring.consumers.get(value) ?? none;

/** An integer attribute, or what it is when left out. */
export function integer(node: Node, name: string, absent: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.type === 'int' ? attribute.value : absent;
}

export function integers(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.type === 'ints' ? attribute.value : undefined;
}
