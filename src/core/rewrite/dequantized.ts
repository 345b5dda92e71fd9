import type { Node } from '../model/graph.ts';
import { withInputs, withOutputs } from '../model/graph-edit.ts';
import type { QuantizeEdit } from '../passes/pass.ts';
import { type Use, usesOfConstants } from '../passes/uses.ts';
import { dtypes } from '../tensor/dtype.ts';
import { Draft, type GraphModel, int, makeNode } from './draft.ts';
import { asColumn, lookUpRows } from './look-up-rows.ts';
import { Scalars } from './scalars.ts';

// The schemes int8-weights and int8-static: weights are integers that a DequantizeLinear multiplies out under their old name, so
// that every product stays what it was.
//
//     DequantizeLinear(W8, scale, axis of the outputs) -> W                    MatMul(x, W)
//     QuantizeLinear(x, range) -> DequantizeLinear -> MatMul(x, W)             int8-static: what a runtime turns into a product of integers
//     Gather(T8, ids) * Gather(scale, ids)                                     int8-weights: a table with a scale for each row
//     DequantizeLinear(T8) -> Gather -> QuantizeLinear -> DequantizeLinear     int8-static: a table with one scale

/** Rewrites the readers of the weights of these edits. */
export function rewriteDequantized(model: GraphModel, edits: readonly QuantizeEdit[]): GraphModel {
  return new DequantizedRewriter(model, edits).run();
}

interface Stored {
  readonly edit: QuantizeEdit;
  readonly values: string;
  readonly scale: string;
}

class DequantizedRewriter {
  private readonly draft: Draft;
  private readonly scalars: Scalars;
  /** Look-ups of tables with a scale for each row, and of tables with one. */
  private readonly byRow = new Map<Node, Stored>();
  private readonly whole = new Map<Node, Stored>();
  private readonly inputs = new Map<Node, NonNullable<QuantizeEdit['inputs']>>();
  private readonly known = new Map<string, string>();

  constructor(model: GraphModel, edits: readonly QuantizeEdit[]) {
    this.draft = new Draft(model);
    this.scalars = new Scalars(this.draft);
    const uses = usesOfConstants(model);
    for (const edit of edits) this.store(edit, uses.get(edit.target.weight.name) ?? []);
  }

  run(): GraphModel {
    for (const node of this.draft.model.graph.nodes) {
      const [byRow, whole] = [this.byRow.get(node), this.whole.get(node)];
      if (byRow) lookUpRows(this.draft, this.scalars, node, byRow);
      else if (whole?.edit.target.weight.dtype === 'fp32') this.lookUp(node, whole);
      else this.product(node);
    }
    return this.draft.finish();
  }

  private store(edit: QuantizeEdit, uses: readonly Use[]): void {
    const { name } = edit.target.weight;
    const values = this.draft.addInitializer(`${name}_quantized`, edit.values, name);
    const products = uses.filter(use => use.kind !== 'gather');
    const isWhole = edit.scale.shape.length === 0;
    const add = (suffix: string, tensor: QuantizeEdit['scale']) => this.draft.addInitializer(`${name}_${suffix}`, tensor, name);
    const scale = products.length > 0 || isWhole ? add('scale', edit.scale) : '';
    const rowScale = isWhole || products.length === uses.length ? '' : add('row_scale', asColumn(edit.scale));
    for (const { node, kind } of uses)
      if (kind === 'gather' && isWhole) this.whole.set(node, { edit, values, scale });
      else if (kind === 'gather') this.byRow.set(node, { edit, values, scale: rowScale });
      else if (edit.inputs && edit.target.weight.dtype === 'fp32') this.inputs.set(node, edit.inputs);
    if (scale !== '') this.dequantize(edit, values, scale, products[0]?.transposed ? 0 : 1);
  }

  /** The numbers under the weight's own name. A weight read through a Transpose lies the other way. */
  private dequantize({ target: { weight }, scale: { shape } }: QuantizeEdit, values: string, scale: string, axis: 0 | 1): void {
    const { name, dtype } = weight;
    const attributes = shape.length === 0 ? {} : { axis: int(axis) };
    const real = dtype === 'fp32' ? name : this.draft.freshValue(`${name}_real`);
    const wish = this.draft.freshNodeName(`${name}_DequantizeLinear`);
    this.draft.push(makeNode('DequantizeLinear', [values, scale], [real], wish, attributes));
    if (real === name) return;
    this.draft.push(makeNode('Cast', [real], [name], this.draft.freshNodeName(`${name}_Cast`), { to: int(dtypes[dtype].onnx!) }));
  }

  /** Between two quantizations with one scale, integers are looked up. */
  private lookUp(node: Node, { scale }: Stored): void {
    const y = node.outputs[0]!;
    const rows = this.draft.freshValue(`${y}_rows`);
    this.draft.push(withOutputs(node, [rows]));
    const zero = this.scalars.named('int8_signed_zero', 'int8', 0);
    const integers = this.draft.emit('QuantizeLinear', [rows, scale, zero], `${y}_QuantizeLinear_Output`);
    const name = this.draft.freshNodeName(`${y}_DequantizeLinear`);
    this.draft.push(makeNode('DequantizeLinear', [integers, scale, zero], [y], name));
  }

  private product(node: Node): void {
    const x = node.inputs[0] ?? '';
    const range = this.inputs.get(node)?.get(x);
    this.draft.push(range ? withInputs(node, [this.quantized(x, range), ...node.inputs.slice(1)]) : node);
  }

  /** The value in its range, once for all that read it. */
  private quantized(x: string, { scale, zeroPoint }: { scale: QuantizeEdit['scale']; zeroPoint: QuantizeEdit['scale'] }): string {
    const known = this.known.get(x);
    if (known) return known;
    const parameters = [this.draft.addInitializer(`${x}_scale`, scale), this.draft.addInitializer(`${x}_zero_point`, zeroPoint)];
    const integers = this.draft.emit('QuantizeLinear', [x, ...parameters], `${x}_QuantizeLinear_Output`);
    const real = this.draft.emit('DequantizeLinear', [integers, ...parameters], `${x}_DequantizeLinear_Output`);
    this.known.set(x, real);
    return real;
  }
}
