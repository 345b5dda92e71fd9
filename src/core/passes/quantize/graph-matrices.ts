import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Skipped } from '../pass.ts';
import { OUTPUT, type Use, usesOfConstants } from '../uses.ts';
import { idleGlobs, nothingFound, organFinder, quantizedAlready, vectorsKept } from './choice.ts';
import type { QuantizeOptions } from './scheme.ts';

/** A constant matrix of a graph, the organ it is the weight of, and what reads it. */
export interface GraphMatrix {
  readonly target: Linear | Table;
  readonly weight: Tensor;
  readonly uses: readonly Use[];
}

/** Hands every matrix of a graph to `take`, in the order of the file. What it returns is why that matrix, or a part of what was asked, is left alone; all of it is returned. */
export function takeMatrices(
  model: Model & { readonly graph: Graph },
  anatomy: Anatomy,
  options: QuantizeOptions,
  take: (matrix: GraphMatrix) => Sentence | undefined,
): Skipped[] {
  const uses = usesOfConstants(model);
  const organOf = organFinder(anatomy);
  const skipped: Skipped[] = quantizedAlready(anatomy);
  const ids: string[] = [];
  let taken = 0;
  for (const weight of model.tensors.values()) {
    if (!isMatrix(weight)) continue;
    const target = organOf(weight);
    ids.push(target.id);
    const reason = take({ target, weight, uses: uses.get(weight.name) ?? [] });
    if (reason) skipped.push({ target: target.id, reason });
    else taken++;
  }
  return [...skipped, ...nothingFound(model, skipped, taken), ...idleGlobs(ids, options), ...vectorsKept(model, isVector)];
}

/** Two axes with something to divide by; a row vector kept as [1, N] is a bias in all but shape. */
const isMatrix = ({ dtype, shape }: Tensor): boolean => isFloat(dtype) && shape.length >= 2 && Math.min(...shape.slice(-2)) > 1;
const isVector = (tensor: Tensor): boolean => isFloat(tensor.dtype) && tensor.byteLength > 8 && !isMatrix(tensor);

/** Why what reads a matrix stands against storing it with a scale for each channel of a product or row of a table, if it does. */
export function readsAgainst(uses: readonly Use[], options: QuantizeOptions): Sentence | undefined {
  if (uses.length === 0) return sentence('No MatMul, Gemm or Gather reads it.');
  const foreign = uses.find(use => use.kind === 'other' || (use.kind === 'gather' && use.transposed));
  if (foreign?.node.opType === OUTPUT) return sentence('It is an output of the graph.');
  if (foreign) return sentence('{operator} reads it, and needs it as it is.', { operator: foreign.node.opType });
  const products = uses.filter(use => use.kind !== 'gather');
  const lookups = uses.length - products.length;
  if (lookups > 0 && options.embedding_bits === 32) return sentence('Embeddings stay as they are by “embedding_bits”.');
  if (products.some(use => use.transposed) && products.some(use => !use.transposed))
    return sentence('It is multiplied both as it lies and transposed.');
  if (lookups > 0 && products.some(use => !use.transposed))
    return sentence('Its rows are looked up and its columns multiplied: no one scale serves both.');
  return undefined;
}
