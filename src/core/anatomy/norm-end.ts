import type { Node } from '../model/graph.ts';
import { constantOf } from './constant.ts';
import type { Flow } from './flow.ts';
import { normInputs } from './fused.ts';
import { normOn } from './norm.ts';

/**
 * The last node of the layer normalization on a path: the one that adds its shift, or multiplies by its gain where it has no shift.
 * Where there is none, the last of the products and sums with vectors that the path begins with (MobileBERT's NoNorm).
 */
export function normEnd(flow: Flow, path: readonly Node[]): Node | undefined {
  const found = normOn(flow, path);
  const whole = path.find(node => normInputs.has(node.opType));
  if (whole) return whole;
  const last = found?.bias ?? found?.weight;
  if (!found) {
    const rest = path.findIndex(node => !scalesByVector(flow, node));
    return path[(rest < 0 ? path.length : rest) - 1];
  }
  if (last) return path.find(node => node.inputs.some(input => holds(flow, input, last)));
  // A norm without gain and shift ends with its division.
  return path.find(({ opType }) => opType === 'Div' || opType === 'Mul');
}

type Stored = NonNullable<ReturnType<typeof constantOf>>['tensor'];

/** The tensor itself, or what is made of it apart from the data: TensorFlow's shift - mean * m. */
function holds({ wiring, root }: Flow, value: string, tensor: Stored): boolean {
  if (constantOf(wiring, value)?.tensor === tensor) return true;
  const maker = root.has(value) ? undefined : wiring.producer.get(value);
  return maker?.opType === 'Sub' && maker.inputs.some(input => constantOf(wiring, input)?.tensor === tensor);
}

function scalesByVector({ wiring }: Flow, { opType, inputs }: Node): boolean {
  return (
    (opType === 'Mul' || opType === 'Add') &&
    inputs.some(input => {
      const tensor = constantOf(wiring, input)?.tensor;
      return tensor !== undefined && tensor.shape.length > 0 && tensor.shape.at(-1)! > 1;
    })
  );
}
