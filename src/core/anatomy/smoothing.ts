import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { constantOf, isFloat, isVector } from './constant.ts';
import type { Wiring } from './wiring.ts';

/** What quantizes an activation, from its integers back: rows with an offset, a range of its own, or a fixed one. */
const quantizing = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Div', 'Sub', 'Cast']);

/** Longest way from the integers to the factor: QuantizeLinear, Div, Sub, and a cast. */
const furthest = 5;

/** The factor of each input channel that stands before the quantization of an activation. The gain of a norm is none. */
export function smoothingOf(wiring: Wiring, input: string, width: number): Tensor | undefined {
  let node = wiring.producer.get(input);
  for (let steps = 0; node && quantizing.has(node.opType) && steps < furthest; steps++)
    node = wiring.producer.get(node.inputs[0] ?? '');
  if (node?.opType !== 'Mul' || input === node.outputs[0]) return undefined;
  for (const [at, name] of node.inputs.entries()) {
    const tensor = constantOf(wiring, name)?.tensor;
    if (tensor && isFloat(tensor) && width > 1 && isVector(tensor, width))
      return isNormalized(wiring, node.inputs[1 - at] ?? '') ? undefined : tensor;
  }
  return undefined;
}

/** x / deviation, or x * 1 / deviation: a gain stands behind it. */
function isNormalized(wiring: Wiring, value: string): boolean {
  const node = wiring.producer.get(value);
  if (node?.opType !== 'Div' && node?.opType !== 'Mul') return false;
  return node.inputs.some(input => isDeviation(wiring, wiring.producer.get(input)));
}

const towardsMean = new Set(['Sqrt', 'Div', 'Add', 'Reciprocal', 'Pow', 'Max', 'Clip', 'Cast']);

function isDeviation(wiring: Wiring, node: Node | undefined): boolean {
  for (let steps = 0; node && steps < furthest; steps++) {
    if (node.opType === 'ReduceMean') return true;
    if (!towardsMean.has(node.opType)) return false;
    const computed: string | undefined = node.inputs.find(input => wiring.producer.has(input) && !constantOf(wiring, input));
    node = wiring.producer.get(computed ?? '');
  }
  return false;
}
