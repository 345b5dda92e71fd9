import type { Graph, Node } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import { capturedBy } from '../model/reads.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One place where a graph reads a constant. */
export interface Use {
  readonly node: Node;
  /**
   * matmul: the right side of MatMul; gemm: of a Gemm that is a plain product (alpha = beta = 1, A as it lies); gather: the rows
   * of a table (axis 0); other: anything else, which needs the numbers as they are.
   */
  readonly kind: 'matmul' | 'gemm' | 'gather' | 'other';
  /** The constant reaches the product as [out, in]: Gemm with transB, or a Transpose in between. */
  readonly transposed: boolean;
}

/** A constant under another name: what Identity and Transpose make of it. */
interface Alias {
  readonly tensor: string;
  readonly transposed: boolean;
}

/** Operator of the reader that stands for the graph's outputs. No operator has an empty name. */
export const OUTPUT = '';

/**
 * Every use of every constant matrix, by the tensor's name, in the order of the graph's nodes. Identity and a Transpose that swaps
 * the two axes are looked through. Reading by a subgraph, or being an output of the graph, is a use of kind 'other'.
 */
export function usesOfConstants(model: Model & { readonly graph: Graph }): Map<string, Use[]> {
  const aliases = new Map<string, Alias>();
  const uses = new Map<string, Use[]>();
  for (const [name, tensor] of model.tensors)
    if (tensor.shape.length >= 2) aliases.set(name, { tensor: name, transposed: false });
  const note = (name: string, use: Use) => {
    const alias = aliases.get(name);
    if (!alias) return;
    const list = uses.get(alias.tensor) ?? [];
    uses.set(alias.tensor, list);
    list.push({ ...use, transposed: alias.transposed !== use.transposed });
  };
  for (const node of model.graph.nodes) {
    if (follow(node, aliases, model.tensors)) continue;
    node.inputs.forEach((name, index) => {
      note(name, useAs(node, index));
    });
    for (const captured of capturedBy(node)) note(captured, { node, kind: 'other', transposed: false });
  }
  const end: Node = { opType: OUTPUT, domain: '', name: '', inputs: [], outputs: [], attributes: new Map(), metadata: {} };
  for (const { name } of model.graph.outputs) note(name, { node: end, kind: 'other', transposed: false });
  return uses;
}

function follow(node: Node, aliases: Map<string, Alias>, tensors: ReadonlyMap<string, Tensor>): boolean {
  const alias = aliases.get(node.inputs[0] ?? '');
  if (!alias || node.domain !== '') return false;
  const output = node.outputs[0]!;
  if (node.opType === 'Identity') aliases.set(output, alias);
  else if (node.opType === 'Transpose' && swapsTwo(node, tensors.get(alias.tensor)!))
    aliases.set(output, { ...alias, transposed: !alias.transposed });
  else return false;
  return true;
}

function swapsTwo(node: Node, tensor: Tensor): boolean {
  if (tensor.shape.length !== 2) return false;
  const perm = node.attributes.get('perm');
  return perm === undefined || (perm.type === 'ints' && perm.value.join() === '1,0');
}

function useAs(node: Node, index: number): Use {
  const other: Use = { node, kind: 'other', transposed: false };
  if (node.domain !== '') return other;
  if (node.opType === 'MatMul' && index === 1) return { node, kind: 'matmul', transposed: false };
  if (node.opType === 'Gather' && index === 0 && intOf(node, 'axis', 0) === 0) return { node, kind: 'gather', transposed: false };
  if (node.opType === 'Gemm' && index === 1 && isPlainProduct(node))
    return { node, kind: 'gemm', transposed: intOf(node, 'transB', 0) !== 0 };
  return other;
}

/** A Gemm that only multiplies and adds: alpha = beta = 1, A as it lies. */
export const isPlainProduct = (node: Node): boolean =>
  floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1 && intOf(node, 'transA', 0) === 0;

export function intOf(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.type === 'int' ? attribute.value : standard;
}

function floatOf(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.type === 'float' ? attribute.value : standard;
}
