import type { Node } from '../model/graph.ts';
import type { Shape } from '../tensor/tensor.ts';

/** The constant operand of an Einsum that is a product with a matrix, and how it lies. */
export interface EinsumWeight {
  readonly operand: 0 | 1;
  readonly transposed: boolean;
  readonly size: { readonly out: number; readonly in: number };
  /** Kept axes before the last: a kernel [in, heads, width] splits its output into heads. */
  readonly heads?: number;
}

/**
 * Keras writes the projections of attention as "abc,cde->abde" with a kernel [in, heads, width], and "abde,dec->abc" with one of
 * [heads, width, out]. `first` and `second` are the shapes of operands that are constants. undefined for every other Einsum.
 */
export function einsumWeight(node: Node, first: Shape | undefined, second: Shape | undefined): EinsumWeight | undefined {
  const equation = node.attributes.get('equation');
  if (equation?.type !== 'string' || (first === undefined) === (second === undefined) || node.inputs.length !== 2)
    return undefined;
  const match = equation.value.replaceAll(' ', '').match(/^([a-zA-Z.]+),([a-zA-Z.]+)->([a-zA-Z.]+)$/);
  if (!match) return undefined;
  const operand = first ? 0 : 1;
  const [axes, data, result] = [match[operand + 1]!, match[2 - operand]!, match[3]!];
  const shape = (first ?? second)!;
  if (axes.includes('.') || axes.length !== shape.length || new Set(axes).size !== axes.length) return undefined;
  const contracted = [...axes].filter(axis => data.includes(axis) && !result.includes(axis));
  const kept = [...axes].filter(axis => result.includes(axis) && !data.includes(axis));
  if (contracted.length === 0 || kept.length === 0 || contracted.length + kept.length !== axes.length) return undefined;
  const transposed = axes === [...contracted, ...kept].join('');
  if (!transposed && axes !== [...kept, ...contracted].join('')) return undefined;
  const product = (of: readonly string[]) => of.reduce((size, axis) => size * shape[axes.indexOf(axis)]!, 1);
  return {
    operand,
    transposed,
    size: { out: product(kept), in: product(contracted) },
    ...(kept.length === 2 && { heads: shape[axes.indexOf(kept[0]!)]! }),
  };
}
