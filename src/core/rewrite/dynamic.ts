import type { Node } from '../model/graph.ts';
import { withInputs, withOutputs } from '../model/graph-edit.ts';
import { readBy } from '../model/reads.ts';
import type { QuantizeEdit } from '../passes/pass.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel, int, makeNode } from './draft.ts';

// The graph that onnxruntime 1.30's quantize_dynamic writes, operator for operator and name for name:
//
//     x -> DynamicQuantizeLinear -> x_quantized, x_scale, x_zero_point        once for each x
//     MatMulInteger(x_quantized, W_quantized, x_zero_point, W_zero_point) -> Cast -> Mul(x_scale * W_scale) -> y
//     Gather(T_quantized, ids) -> DequantizeLinear -> y                       dequantized where it is first read as floats
//     Gemm -> MatMul (weight turned when transB) + Add
//     Transpose of something quantized transposes the integers

/** A float value that exists as integers too. */
interface Quantized {
  readonly values: string;
  readonly scale: string;
  readonly zeroPoint: string;
  /** Of a weight: what its inputs are multiplied by first. */
  readonly smoothing?: string;
}

const producer = 'onnx.quantize';
/** What the tool's own shape inference leaves behind. */
const metadata = { 'onnx.infer': 'onnxruntime.quant' };

/** Rewrites the readers of the weights of these edits. */
export function rewriteDynamic(model: GraphModel, edits: readonly QuantizeEdit[]): GraphModel {
  const rewritten = new DynamicRewriter(model, edits).run();
  return {
    ...rewritten,
    graph: { ...rewritten.graph, producer },
    metadata: { ...rewritten.metadata, ...metadata },
  };
}

class DynamicRewriter {
  private readonly draft: Draft;
  private readonly weights = new Map<string, Quantized>();
  /** Float values known as integers. */
  private readonly quantized = new Map<string, Quantized>();
  /** Values that exist as floats. */
  private readonly made: Set<string>;
  private readonly products = new Set<string>();
  private readonly factors = new Map<Tensor, string>();
  /** Quantized inputs that an earlier step left in the graph, by what they quantize. */
  private readonly earlier: ReadonlyMap<string, Node>;

  constructor(model: GraphModel, edits: readonly QuantizeEdit[]) {
    this.draft = new Draft(model);
    for (const edit of edits) this.weights.set(edit.target.weight.name, this.store(edit));
    const quantizing = model.graph.nodes.filter(node => node.opType === 'DynamicQuantizeLinear' && node.outputs.length === 3);
    this.earlier = new Map(quantizing.map(node => [node.inputs[0]!, node]));
    const constants = new Set(model.graph.initializers);
    this.made = new Set(model.graph.inputs.map(({ name }) => name).filter(name => !constants.has(name)));
  }

  /** The integers first, since reading them finds the scale; the tool's order is scale, zero point, integers. */
  private store(edit: QuantizeEdit): Quantized {
    const { name } = edit.target.weight;
    return {
      values: this.draft.addInitializer(`${name}_quantized`, edit.values, name),
      scale: this.draft.addInitializer(`${name}_scale`, edit.scale, name),
      zeroPoint: this.draft.addInitializer(`${name}_zero_point`, edit.zeroPoint!, name),
      ...(edit.smoothing && { smoothing: this.factor(edit.smoothing, name) }),
    };
  }

  private factor(smoothing: Tensor, behind: string): string {
    const known = this.factors.get(smoothing);
    if (known) return known;
    const name = this.draft.addInitializer(`${behind}_smoothing`, smoothing, behind);
    this.factors.set(smoothing, name);
    return name;
  }

  /** The value with its channels scaled, for weights that were scaled the other way. */
  private smoothed(name: string, smoothing: string): string {
    const smooth = `${name}_${smoothing}`;
    if (!this.made.has(smooth)) this.push(makeNode('Mul', [name, smoothing], [smooth], `${smooth}_Mul`));
    return smooth;
  }

  run(): GraphModel {
    for (const node of this.draft.model.graph.nodes) this.rewrite(node);
    for (const { name } of this.draft.model.graph.outputs) this.dequantize(name);
    return this.draft.finish();
  }

  private rewrite(node: Node): void {
    const [first = '', second = ''] = node.inputs;
    const plain = node.domain === '';
    if (plain && node.opType === 'MatMul' && this.weights.has(second)) this.product(node);
    else if (plain && node.opType === 'Gemm' && this.weights.has(second)) this.gemm(node);
    else if (plain && node.opType === 'Gather' && this.weights.has(first)) this.gather(node);
    else if (plain && node.opType === 'Transpose' && this.quantized.has(first)) this.transpose(node);
    else if (this.earlier.get(first) === node) this.activation(first);
    else this.keep(node);
  }

  private push(node: Node): void {
    this.draft.push(node);
    for (const name of node.outputs) this.made.add(name);
  }

  /** A node that reads floats: what it reads must exist as floats. */
  private keep(node: Node): void {
    for (const name of readBy(node)) this.dequantize(name);
    this.push(node);
  }

  private dequantize(name: string): void {
    const integers = this.quantized.get(name);
    if (!integers || this.made.has(name)) return;
    const { values, scale, zeroPoint } = integers;
    this.push(makeNode('DequantizeLinear', [values, scale, zeroPoint], [name], `${name}_DequantizeLinear`));
  }

  private weight(name: string): Quantized {
    const weight = this.weights.get(name)!;
    this.quantized.set(name, weight);
    return weight;
  }

  private activation(name: string): Quantized {
    const known = this.quantized.get(name);
    if (known) return known;
    const node =
      this.earlier.get(name) ??
      makeNode(
        'DynamicQuantizeLinear',
        [name],
        [`${name}_quantized`, `${name}_scale`, `${name}_zero_point`],
        `${name}_QuantizeLinear`,
      );
    const [values = '', scale = '', zeroPoint = ''] = node.outputs;
    const made = { values, scale, zeroPoint };
    this.quantized.set(name, made);
    this.push(node);
    return made;
  }

  private gather(node: Node): void {
    const weight = this.weight(node.inputs[0]!);
    const values = `${node.outputs[0]}_quantized`;
    this.quantized.set(node.outputs[0]!, { ...weight, values });
    this.push(withOutputs(withInputs(node, [weight.values, ...node.inputs.slice(1)]), [values]));
  }

  private transpose(node: Node): void {
    const input = this.quantized.get(node.inputs[0]!)!;
    const values = `${node.outputs[0]}_quantized`;
    this.quantized.set(node.outputs[0]!, { ...input, values });
    this.push(withOutputs(withInputs(node, [input.values]), [values]));
  }

  private gemm(node: Node): void {
    const [x = '', w = '', bias] = node.inputs;
    const y = node.outputs[0]!;
    const named = (suffix: string) => (node.name ? node.name + suffix : '');
    this.product(makeNode('MatMul', [x, w], [bias ? `${y}_MatMul` : y], named('_MatMul')));
    if (bias) this.keep(makeNode('Add', [`${y}_MatMul`, bias], [y], named('_Add')));
  }

  private product(node: Node): void {
    const w = this.weight(node.inputs[1]!);
    const input = node.inputs[0]!;
    const x = this.activation(w.smoothing ? this.smoothed(input, w.smoothing) : input);
    const y = node.outputs[0]!;
    const name = node.name ? `${node.name}_quant` : '';
    const integer = `${y}_output_quantized`;
    this.push(makeNode('MatMulInteger', [x.values, w.values, x.zeroPoint, w.zeroPoint], [integer], name));
    const to = { to: int(dtypes.fp32.onnx) };
    this.push(makeNode('Cast', [integer], [`${integer}_cast_output`], `${integer}_cast`, to));
    const scales = name ? `${name}_scales_mul` : `${x.scale}_${w.scale}_mul`;
    if (!this.products.has(scales)) this.push(makeNode('Mul', [x.scale, w.scale], [`${scales}:0`], scales));
    this.products.add(scales);
    const last = name ? `${name}_output_scale_mul` : '';
    this.push(makeNode('Mul', [`${integer}_cast_output`, `${scales}:0`], [y], last));
  }
}
