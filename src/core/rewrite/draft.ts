import type { Attribute, Graph, Node } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type GraphModel = Model & { readonly graph: Graph };

/** A node that is not in any file yet. */
export function makeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  name = '',
  attributes: Readonly<Record<string, Attribute>> = {},
  metadata: Node['metadata'] = {},
): Node {
  return { opType, domain: '', name, inputs, outputs, attributes: new Map(Object.entries(attributes)), metadata };
}

export const int = (value: number): Attribute => ({ type: 'int', value });
export const ints = (...value: number[]): Attribute => ({ type: 'ints', value });

/** A graph being rewritten: nodes in their new order, initializers beside those they replace, names that collide with nothing. */
export class Draft {
  readonly model: GraphModel;
  private readonly nodes: Node[] = [];
  /** Name of an old initializer, or '' for the end -> new ones behind it. */
  private readonly added = new Map<string, Tensor[]>();
  private readonly values: Set<string>;
  private readonly nodeNames: Set<string>;

  constructor(model: GraphModel) {
    this.model = model;
    const { graph } = model;
    this.values = new Set([...model.tensors.keys(), ...[...graph.inputs, ...graph.outputs].map(({ name }) => name)]);
    this.nodeNames = new Set();
    for (const node of graph.nodes) {
      this.nodeNames.add(node.name);
      for (const name of [...node.inputs, ...node.outputs]) this.values.add(name);
    }
  }

  push(...nodes: Node[]): void {
    this.nodes.push(...nodes);
  }

  /** The first of wish, wish_1, wish_2, … that no value has. */
  freshValue(wish: string): string {
    return claim(this.values, wish);
  }

  freshNodeName(wish: string): string {
    return claim(this.nodeNames, wish);
  }

  /** Adds an operator with one output, named for what it makes; returns the output's name. */
  emit(
    opType: string,
    inputs: readonly string[],
    wish: string,
    attributes?: Readonly<Record<string, Attribute>>,
    metadata?: Node['metadata'],
  ): string {
    const output = this.freshValue(wish);
    this.nodes.push(makeNode(opType, inputs, [output], this.freshNodeName(wish), attributes, metadata));
    return output;
  }

  /** Adds an operator that makes a value of a name that is known. */
  define(opType: string, inputs: readonly string[], output: string, attributes?: Readonly<Record<string, Attribute>>): void {
    this.nodes.push(makeNode(opType, inputs, [output], this.freshNodeName(`${output}_${opType}`), attributes));
  }

  /** Adds an initializer behind an old one in the file, so that a writer reads the source from front to back. Returns its name. */
  addInitializer(wish: string, tensor: Tensor, behind = ''): string {
    const name = this.freshValue(wish);
    const list = this.added.get(behind) ?? [];
    this.added.set(behind, list);
    list.push(named(tensor, name));
    return name;
  }

  finish(): GraphModel {
    const tensors = new Map<string, Tensor>();
    const initializers = new Set(this.model.graph.initializers);
    const order: string[] = [];
    const add = (tensor: Tensor) => {
      tensors.set(tensor.name, tensor);
      order.push(tensor.name);
    };
    for (const [name, tensor] of this.model.tensors) {
      tensors.set(name, tensor);
      if (initializers.has(name)) order.push(name);
      this.added.get(name)?.forEach(add);
    }
    this.added.get('')?.forEach(add);
    return { ...this.model, tensors, graph: { ...this.model.graph, nodes: this.nodes, initializers: order } };
  }
}

function claim(taken: Set<string>, wish: string): string {
  let name = wish;
  for (let i = 1; taken.has(name); i++) name = `${wish}_${i}`;
  taken.add(name);
  return name;
}
