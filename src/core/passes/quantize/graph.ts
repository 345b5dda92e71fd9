import type { Anatomy } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Plan, QuantizeEdit } from '../pass.ts';
import type { Use } from '../uses.ts';
import { leftOut, tooOld, tooSmall } from './choice.ts';
import { byColumns, byRows, byTensor, sidesOf } from './eight-bits.ts';
import { type GraphMatrix, readsAgainst, takeMatrices } from './graph-matrices.ts';
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
  const chosen: GraphMatrix[] = [];
  const skipped = takeMatrices(model, anatomy, options, matrix => {
    const reason = kept(matrix, model, options);
    if (!reason) chosen.push(matrix);
    return reason;
  });
  const multiplied = chosen.filter(it => it.uses.every(use => use.kind !== 'gather'));
  const smoothing = smoothings(model, anatomy, multiplied, form.smooth, form.observed);
  const edits = chosen.map(it => edit(it, form, smoothing.get(it.weight.name)));
  return { edits, skipped };
}

/** Why a matrix stays as it is, if it does. */
function kept({ target, uses }: GraphMatrix, model: Model, options: QuantizeOptions): Sentence | undefined {
  const { weight } = target;
  const chosen = leftOut(target.id, options);
  if (chosen) return chosen;
  if (weight.shape.length !== 2)
    return sentence('It has {axes} axes; only matrices are quantized.', { axes: weight.shape.length });
  if (weight.dtype === 'fp64')
    return sentence('It is {dtype}, which the integer operators do not take.', { dtype: weight.dtype });
  const against = readsAgainst(uses, options);
  if (against) return against;
  const products = uses.filter(use => use.kind !== 'gather');
  const lookups = uses.length - products.length;
  return tooSmall(saving(weight, products, lookups), model);
}

/** Bytes that the file gets smaller by: scales, sums and nodes count against it. */
function saving(weight: Tensor, products: readonly Use[], lookups: number): number {
  const [rows, columns] = sidesOf(weight);
  const channels = products[0]?.transposed ? rows : columns;
  const parameters = (products.length > 0 ? 8 * channels : 0) + (lookups > 0 ? 4 * rows : 0);
  return weight.byteLength - rows * columns - parameters - products.length * PRODUCT_BYTES - lookups * LOOKUP_BYTES;
}

function edit({ target, weight, uses }: GraphMatrix, form: GraphForm, smoothing: Smoothing | undefined): QuantizeEdit {
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
