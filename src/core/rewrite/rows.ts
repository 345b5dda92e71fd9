import type { Node } from '../model/graph.ts';
import { newNode } from '../model/graph-edit.ts';
import type { QuantizeEdit } from '../passes/pass.ts';
import { type Use, usesOfConstants } from '../passes/uses.ts';
import type { DType } from '../tensor/dtype.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel, int, ints } from './draft.ts';
import { asColumn, backTo, lookUpRows, replaceBy } from './look-up-rows.ts';
import { Scalars } from './scalars.ts';

// The scheme int8 in a graph. For every product y = x W, x of any leading axes, with 7 or 8 bits:
//
//     x    = x * factor                                                     by input channel, where W was smoothed
//     low  = ReduceMin(x, last axis)        step = max((ReduceMax(x) - low) / (2^bits - 1), smallest)
//     q    = QuantizeLinear((x - low) / step)                               uint8, so that x = low + step * q
//     y    = MatMulIntegerToFloat(q, W8, 1, scale) * step + low * sums      W8 int8, of com.microsoft, or
//     y    = MatMulInteger(q, W8, 0, 128) * scale * step + low * sums       W8 uint8, standard operators
//
// with W = scale * W8 by output channel (W8 - 128 where unsigned) and sums = the column sums of W, known when the file is written.
// Each row of x has its own low and step, so a sentence's numbers depend on that sentence alone. Query, key and value share all of x.
// Processors without VNNI add two products of bytes in 16 bits: 2 * 255 * 127 saturates there, 2 * 127 * 127 does not, and uint8 by
// uint8 is multiplied in another, slower way. For every lookup: Gather(T8, ids) (- 128), times Gather(scale, ids).

/** A row of equal numbers has no range; this keeps its step from being 0. */
const SMALLEST_STEP = 1e-12;

/** ReduceMin and ReduceMax take their axes as an input from this version on. */
const AXES_AS_INPUT = 18;

/** Rewrites every product and lookup of the weights of these edits. */
export function rewriteRows(model: GraphModel, edits: readonly QuantizeEdit[]): GraphModel {
  const rewritten = new RowsRewriter(model, edits).run();
  return edits.some(edit => edit.product?.contrib) ? withContrib(rewritten) : rewritten;
}

const CONTRIB = 'com.microsoft';

function withContrib(model: GraphModel): GraphModel {
  const { opsets } = model.graph;
  return opsets.has(CONTRIB) ? model : { ...model, graph: { ...model.graph, opsets: new Map([...opsets, [CONTRIB, 1]]) } };
}

/** Names in the graph of a quantized weight. */
interface Stored {
  readonly edit: QuantizeEdit;
  readonly values: string;
  /** [1, out] or [out], for products. */
  readonly scale: string;
  readonly sums: string;
  /** [rows, 1], for lookups. */
  readonly rowScale: string;
}

/** An activation as integers. */
interface Rows {
  readonly integers: string;
  readonly step: string;
  readonly low: string;
}

class RowsRewriter {
  private readonly draft: Draft;
  private readonly opset: number;
  private readonly byNode = new Map<Node, { readonly use: Use; readonly stored: Stored }>();
  /** By value and by what smooths it. */
  private readonly rows = new Map<string, Map<Tensor | undefined, Rows>>();
  private readonly turned = new Map<string, string>();
  private readonly factors = new Map<Tensor, string>();
  private readonly scalars: Scalars;

  constructor(model: GraphModel, edits: readonly QuantizeEdit[]) {
    this.draft = new Draft(model);
    this.scalars = new Scalars(this.draft);
    this.opset = model.graph.opsets.get('') ?? 1;
    const uses = usesOfConstants(model);
    for (const edit of edits) {
      const own = uses.get(edit.target.weight.name) ?? [];
      const stored = this.store(edit, own);
      for (const use of own) this.byNode.set(use.node, { use, stored });
    }
  }

  run(): GraphModel {
    for (const node of this.draft.model.graph.nodes) {
      const found = this.byNode.get(node);
      if (!found) this.draft.push(node);
      else if (found.use.kind === 'gather') this.lookUp(node, found.stored);
      else this.product(node, found.use, found.stored);
    }
    return this.draft.finish();
  }

  /** The integers first: reading them finds scales and sums on the way. */
  private store(edit: QuantizeEdit, uses: readonly Use[]): Stored {
    const { name } = edit.target.weight;
    const add = (suffix: string, tensor: Tensor) => this.draft.addInitializer(`${name}_${suffix}`, tensor, name);
    const values = add('quantized', edit.values);
    const { smoothing } = edit;
    if (smoothing && !this.factors.has(smoothing)) this.factors.set(smoothing, add('smoothing', smoothing));
    const isProduct = uses.some(use => use.kind !== 'gather');
    const isLookup = uses.some(use => use.kind === 'gather');
    return {
      edit,
      values,
      scale: isProduct ? add('scale', edit.scale) : '',
      sums: isProduct && edit.sums ? add('sums', edit.sums) : '',
      rowScale: isLookup ? add('row_scale', asColumn(edit.scale)) : '',
    };
  }

  private product(node: Node, use: Use, stored: Stored): void {
    const { dtype } = stored.edit.target.weight;
    const rows = this.rowsOf(node.inputs[0]!, dtype, stored.edit);
    const y = node.outputs[0]!;
    const weight = use.transposed && stored.edit.layout === 'stored' ? this.turn(stored.values) : stored.values;
    const scaled = stored.edit.product?.contrib
      ? this.contribProduct(node, rows, weight, stored)
      : this.standardProduct(node, rows, weight, stored);
    const stepped = this.draft.emit('Mul', [scaled, rows.step], `${y}_stepped`);
    const offset = this.draft.emit('Mul', [rows.low, stored.sums], `${y}_offset`);
    const bias = node.opType === 'Gemm' ? node.inputs[2] : undefined;
    replaceBy(this.draft, node, [
      { opType: 'Add', inputs: () => [stepped, offset] },
      ...backTo(dtype),
      ...(bias ? [{ opType: 'Add', inputs: (before: string) => [before, bias] }] : []),
    ]);
  }

  private lookUp(node: Node, { edit, values, rowScale }: Stored): void {
    lookUpRows(this.draft, this.scalars, node, { edit, values, scale: rowScale });
  }

  private standardProduct(node: Node, { integers }: Rows, weight: string, { scale }: Stored): string {
    const y = node.outputs[0]!;
    const zeroPoints = [this.scalars.named('int8_zero', 'uint8', 0), this.scalars.named('int8_middle', 'uint8', 128)];
    const product = this.draft.emit('MatMulInteger', [integers, weight, ...zeroPoints], `${y}_integer`, {}, node.metadata);
    const real = this.draft.emit('Cast', [product], `${y}_real`, { to: int(dtypes.fp32.onnx) });
    return this.draft.emit('Mul', [real, scale], `${y}_scaled`);
  }

  private contribProduct(node: Node, { integers }: Rows, weight: string, { scale }: Stored): string {
    const scaled = this.draft.freshValue(`${node.outputs[0]!}_scaled`);
    const inputs = [integers, weight, this.scalars.named('int8_one', 'fp32', 1), scale];
    const product = newNode('MatMulIntegerToFloat', inputs, [scaled], {
      domain: CONTRIB,
      name: this.draft.freshNodeName(scaled),
    });
    this.draft.push({ ...product, metadata: node.metadata });
    return scaled;
  }

  /** An activation's rows as integers, once for all the products that read it. */
  private rowsOf(x: string, dtype: DType, { product, smoothing }: QuantizeEdit): Rows {
    const known = this.rows.get(x)?.get(smoothing);
    if (known) return known;
    const real = dtype === 'fp32' ? x : this.draft.emit('Cast', [x], `${x}_fp32`, { to: int(dtypes.fp32.onnx) });
    const input = smoothing ? this.draft.emit('Mul', [real, this.factors.get(smoothing)!], `${x}_smoothed`) : real;
    const most = 2 ** (product?.bits ?? 8) - 1;
    const low = this.reduce('ReduceMin', input, `${x}_low`);
    const high = this.reduce('ReduceMax', input, `${x}_high`);
    const range = this.draft.emit('Sub', [high, low], `${x}_range`);
    const exact = this.draft.emit(
      'Mul',
      [range, this.scalars.named(`int8_per_level_${most}`, 'fp32', 1 / most)],
      `${x}_exact_step`,
    );
    const step = this.draft.emit('Max', [exact, this.scalars.named('int8_smallest_step', 'fp32', SMALLEST_STEP)], `${x}_step`);
    const above = this.draft.emit('Sub', [input, low], `${x}_above`);
    const levels = this.draft.emit('Div', [above, step], `${x}_levels`);
    const one = this.scalars.named('int8_one', 'fp32', 1);
    const integers = this.draft.emit(
      'QuantizeLinear',
      [levels, one, this.scalars.named('int8_zero', 'uint8', 0)],
      `${x}_integers`,
    );
    const rows = { integers, step, low };
    this.rows.set(x, new Map(this.rows.get(x)).set(smoothing, rows));
    return rows;
  }

  private reduce(opType: string, x: string, wish: string): string {
    if (this.opset < AXES_AS_INPUT) return this.draft.emit(opType, [x], wish, { axes: ints(-1), keepdims: int(1) });
    return this.draft.emit(opType, [x, this.scalars.named('int8_last_axis', 'int64', -1)], wish, { keepdims: int(1) });
  }

  /** A table that is looked up too lies by rows; the product reads it turned, which a runtime does once, on loading. */
  private turn(values: string): string {
    const known = this.turned.get(values);
    if (known) return known;
    const name = this.draft.emit('Transpose', [values], `${values}_turned`, { perm: ints(1, 0) });
    this.turned.set(values, name);
    return name;
  }
}
