import type { Node } from '../model/graph.ts';
import { consumersOf, type Wiring } from './wiring.ts';

/** They change how a number is written, and nothing else. */
export const rewriting = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Cast', 'Identity', 'Dropout']);
/** Their outputs are integers. */
const makesIntegers = ({ opType }: Node): boolean =>
  /^(QuantizeLinear|DynamicQuantizeLinear|QLinear\w*|QGemm|MatMulInteger|ConvInteger)$/.test(opType);
export const longestChain = 16;

/** The first value of the same data, before casts and quantization; a later one where that is integers. */
export function settled(wiring: Wiring, value: string): string | undefined {
  let last = asFloats(wiring, value);
  for (let steps = 0; steps < longestChain; steps++) {
    const node = wiring.producer.get(value);
    if (!node || !rewriting.has(node.opType) || node.outputs[0] !== value) break;
    value = node.inputs[0] ?? '';
    if (isFloats(wiring, value)) last = value;
  }
  return last;
}

const isFloats = (wiring: Wiring, value: string): boolean => {
  const node = wiring.producer.get(value);
  return value !== '' && !(node && makesIntegers(node));
};

/** The value itself, or what its integers stand for: before they were quantized, or after a DequantizeLinear of them. */
export function asFloats(wiring: Wiring, value: string): string | undefined {
  for (let steps = 0; steps < longestChain; steps++) {
    if (isFloats(wiring, value)) return value;
    const node = wiring.producer.get(value);
    if (node?.opType !== 'QuantizeLinear' && node?.opType !== 'DynamicQuantizeLinear') break;
    value = node.inputs[0] ?? '';
  }
  return consumersOf(wiring, value).find(({ opType, inputs }) => opType === 'DequantizeLinear' && inputs[0] === value)
    ?.outputs[0];
}
