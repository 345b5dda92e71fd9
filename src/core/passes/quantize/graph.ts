import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Plan, QuantizeEdit, Skipped } from '../pass.ts';
import { OUTPUT, type Use, usesOfConstants } from '../uses.ts';
import { idleGlobs, leftOut, nothingFound, organFinder, quantizedAlready, tooOld, tooSmall, vectorsKept } from './choice.ts';
import { byColumns, byRows, byTensor, sidesOf } from './eight-bits.ts';
import type { QuantizeOptions } from './scheme.ts';
import { smoothed } from './smoothed.ts';
import { type Smoothing, smoothings } from './smoothing.ts';
import { transposed } from './transposed.ts';

/** About what the nodes that replace one product, or one lookup, add to the file. */
const PRODUCT_BYTES = 1000;
const LOOKUP_BYTES = 600;

/** How a scheme wants the weights of a graph. */
export interface GraphForm {
  readonly scheme: QuantizeEdit['scheme'];
  /** int8 around 0; else uint8 around 128. */
  readonly signed: boolean;
  /** A weight that products read turned is stored turned, ready for them. */
  readonly turns: boolean;
  readonly product?: QuantizeEdit['product'];
  /** Strength of what is moved from activations into weights; 0 for none. */
  readonly smooth: number;
  /** One scale for a whole table, not one for each row. */
  readonly tables?: 'whole';
  readonly inputs?: QuantizeEdit['inputs'];
  /** The version of the operators it needs. */
  readonly opset?: number;
  /** Largest magnitudes of activations, by value, from text. */
  readonly observed?: ReadonlyMap<string, Float32Array>;
}

interface Chosen {
  readonly target: Linear | Table;
  readonly weight: Tensor;
  readonly uses: readonly Use[];
}

/**
 * 8-bit weights for an ONNX graph: a scale for each output channel, tables with a scale for each row. The rewrites of the schemes say
 * what the activations do.
 */
export function planGraph(
  model: Model & { readonly graph: Graph },
  anatomy: Anatomy,
  options: QuantizeOptions,
  form: GraphForm,
): Plan {
  const old = tooOld(model, form.opset);
  if (old) return { edits: [], skipped: [old] };
  const uses = usesOfConstants(model);
  const organOf = organFinder(anatomy);
  const chosen: Chosen[] = [];
  const skipped: Skipped[] = quantizedAlready(anatomy);
  const ids: string[] = [];
  for (const tensor of model.tensors.values()) {
    if (!isMatrix(tensor)) continue;
    const target = organOf(tensor);
    ids.push(target.id);
    const used = uses.get(tensor.name) ?? [];
    const reason = kept(target, used, model, options);
    if (reason) skipped.push({ target: target.id, reason });
    else chosen.push({ target, weight: tensor, uses: used });
  }
  const multiplied = chosen.filter(it => it.uses.every(use => use.kind !== 'gather'));
  const smoothing = smoothings(model, anatomy, multiplied, form.smooth, form.observed);
  const edits = chosen.map(it => edit(it, form, smoothing.get(it.weight.name)));
  skipped.push(...nothingFound(model, skipped, edits.length), ...idleGlobs(ids, options), ...vectorsKept(model, isVector));
  return { edits, skipped };
}

/** Two axes with something to divide by; a row vector kept as [1, N] is a bias in all but shape. */
const isMatrix = ({ dtype, shape }: Tensor): boolean => isFloat(dtype) && shape.length >= 2 && Math.min(...shape.slice(-2)) > 1;
const isVector = (tensor: Tensor): boolean => isFloat(tensor.dtype) && tensor.byteLength > 8 && !isMatrix(tensor);

/** Why a matrix stays as it is, if it does. */
function kept(target: Linear | Table, uses: readonly Use[], model: Model, options: QuantizeOptions): Sentence | undefined {
  const { weight } = target;
  const chosen = leftOut(target.id, options);
  if (chosen) return chosen;
  if (weight.shape.length !== 2)
    return sentence('It has {axes} axes; only matrices are quantized.', { axes: weight.shape.length });
  if (weight.dtype === 'fp64')
    return sentence('It is {dtype}, which the integer operators do not take.', { dtype: weight.dtype });
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
  return tooSmall(saving(weight, products, lookups), model);
}

/** Bytes that the file gets smaller by: scales, sums and nodes count against it. */
function saving(weight: Tensor, products: readonly Use[], lookups: number): number {
  const [rows, columns] = sidesOf(weight);
  const channels = products[0]?.transposed ? rows : columns;
  const parameters = (products.length > 0 ? 8 * channels : 0) + (lookups > 0 ? 4 * rows : 0);
  return weight.byteLength - rows * columns - parameters - products.length * PRODUCT_BYTES - lookups * LOOKUP_BYTES;
}

function edit({ target, weight, uses }: Chosen, form: GraphForm, smoothing: Smoothing | undefined): QuantizeEdit {
  const { scheme, product, inputs } = form;
  const bits = { id: target.id, signed: form.signed };
  const products = uses.filter(use => use.kind !== 'gather');
  const turned = products.length > 0 && products[0]!.transposed;
  const source = smoothing ? smoothed(weight, smoothing, turned) : weight;
  const common = {
    kind: 'quantize',
    target,
    scheme,
    ...(product && { product }),
    ...(inputs && { inputs }),
    ...(smoothing && { smoothing: smoothing.factor }),
  } as const;
  if (products.length === uses.length && !turned) return { ...common, ...byColumns(source, bits), layout: 'stored' };
  if (products.length === 0 && form.tables === 'whole') return { ...common, ...byTensor(source, bits), layout: 'stored' };
  const rows = byRows(source, bits);
  if (products.length === 0) return { ...common, values: rows.values, scale: rows.scale, layout: 'stored' };
  if (products.length < uses.length || !form.turns) return { ...common, ...rows, layout: 'stored' };
  return { ...common, ...rows, values: transposed(rows.values), layout: 'transposed' };
}
