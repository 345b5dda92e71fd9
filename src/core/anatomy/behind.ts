import type { Node } from '../model/graph.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { constantOf, isVector } from './constant.ts';
import { biasedActivations, skips } from './fused.ts';
import { consumersOf, type Wiring } from './wiring.ts';

/** Operators that may stand between a product and its bias without changing what the bias is. */
const between = new Set(['Identity', 'Cast', 'QuantizeLinear', 'DequantizeLinear', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Longest way from an integer product to its bias: Cast, Mul by the rows' scale, Mul by the columns', a few casts. */
const furthest = 8;

export interface Behind {
  readonly bias?: Tensor;
  readonly scale?: Tensor;
  readonly sums?: Tensor;
}

/**
 * What follows a product: its bias, and what scales an integer product. `rows`: its rows may be scaled, and their offsets taken back.
 * Only while the value has a single reader.
 */
export function behind(
  wiring: Wiring,
  node: Node,
  out: number,
  { integers = false, rows = false, isConvolution = false }: { integers?: boolean; rows?: boolean; isConvolution?: boolean },
): Behind {
  let value = node.outputs[0] ?? '';
  const found: { -readonly [K in keyof Behind]: Behind[K] } = {};
  let combined: Tensor | undefined;
  let isSplit = node.opType === 'Einsum';
  for (let steps = 0; steps < furthest; steps++) {
    const readers = consumersOf(wiring, value);
    if (readers.length !== 1) break;
    const next = readers[0]!;
    const other = next.inputs.find(input => input !== value) ?? '';
    const constant = storedAt(wiring, other);
    const product = integers || rows ? factorIn(wiring, other) : undefined;
    const fits = (tensor: Tensor) =>
      isVector(tensor, out) || (isConvolution && isColumn(tensor, out)) || (isSplit && isByHead(tensor, out));
    if ((next.opType === 'Add' || biasedActivations.has(next.opType)) && constant && fits(constant)) {
      found.bias = constant;
      break;
    }
    const later = laterBias(wiring, next, value);
    if (later && fits(later)) {
      found.bias = later;
      break;
    }
    if (next.opType === 'Add' && product && isVector(product, out)) found.sums = product;
    else if (next.opType === 'Mul' && integers) {
      if (constant) found.scale ??= constant;
      combined ??= product;
    } else if (next.opType === 'Mul' && rows && !constant) {
      // The steps of the rows.
    } else if (
      !(between.has(next.opType) || ((isConvolution || isSplit) && next.opType === 'Transpose')) ||
      next.inputs[0] !== value
    )
      break;
    if (next.opType === 'Reshape') isSplit = true;
    value = next.outputs[0] ?? '';
  }
  const scale = found.scale ?? combined;
  if (scale) found.scale = scale;
  return found;
}

/** A stored tensor, whatever 1s are put around it. */
function storedAt(wiring: Wiring, value: string): Tensor | undefined {
  const maker = wiring.producer.get(value);
  const source = maker && shaping.has(maker.opType) ? (maker.inputs[0] ?? '') : value;
  return constantOf(wiring, source)?.tensor;
}

const shaping = new Set(['Reshape', 'Squeeze', 'Unsqueeze']);

/** A number for each output, by head: [heads, width], whatever 1s stand around or between. */
const isByHead = ({ shape }: Tensor, out: number): boolean =>
  elementCount(shape) === out && shape.filter(size => size > 1).length <= 2 && shape.at(-1)! > 1;

/** Channels of a convolution stand before what it slides along: [16, 1]. */
const isColumn = ({ shape }: Tensor, out: number): boolean =>
  shape.at(-1) === 1 && shape.at(-2) === out && elementCount(shape) === out;

/** A bias that an operator adds beside what else it does: a sum with a residual and its norm, or a sum of integers. */
function laterBias(wiring: Wiring, node: Node, value: string): Tensor | undefined {
  const skip = skips.get(node.opType);
  if (skip) return constantOf(wiring, node.inputs[skip.bias] ?? '')?.tensor;
  if (node.opType !== 'QLinearAdd') return undefined;
  return constantOf(wiring, node.inputs[node.inputs[0] === value ? 3 : 0] ?? '')?.tensor;
}

/** The constant in a product with something about the activation: with its scale (the weight's scale), with its offset (column sums). */
function factorIn(wiring: Wiring, value: string): Tensor | undefined {
  const node = wiring.producer.get(value);
  if (node?.opType !== 'Mul') return undefined;
  for (const input of node.inputs) {
    const constant = constantOf(wiring, input);
    if (constant) return constant.tensor;
  }
  return undefined;
}
