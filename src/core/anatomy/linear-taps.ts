import type { Node } from '../model/graph.ts';
import { type Anatomy, type Linear, linearsIn } from './anatomy.ts';
import { constantOf, isVector } from './constant.ts';
import { asFloats, longestChain, rewriting } from './float-values.ts';
import { biasedActivations } from './fused.ts';
import { productOf } from './product.ts';
import { consumersOf, type Wiring } from './wiring.ts';

export interface LinearTaps {
  /** By a linear's id: the floats it multiplies. Each layer that runs has its own, shared or not; a part of a matrix has the whole's. */
  readonly linearInput: ReadonlyMap<string, string>;
  /** By a linear's id: its floats behind the bias. Absent where an operator adds the bias to more, and for parts of a matrix. */
  readonly linearOutput: ReadonlyMap<string, string>;
}

/** `outer` leaves out what is no value of the graph itself. */
export function linearTaps(
  wiring: Wiring,
  anatomy: Anatomy,
  outer: (value: string | undefined) => string | undefined,
): LinearTaps {
  const linearInput = new Map<string, string>();
  const linearOutput = new Map<string, string>();
  const add = (linear: Linear) => {
    const node = linear.nodes[0];
    const product = node && productOf(wiring, linear.factors?.first.nodes[0] ?? node);
    const input = product && outer(asFloats(wiring, product.input));
    if (!product || input === undefined) return;
    linearInput.set(linear.id, input);
    const output = linear.within ? undefined : outer(outputOf(wiring, node, linear));
    if (output !== undefined) linearOutput.set(linear.id, output);
  };
  const { layers, embeddingProjection, linears } = anatomy;
  const acting = layers.flatMap(layer => [...linearsIn(layer), layer.query, layer.key, layer.value, layer.up, layer.gate]);
  for (const linear of [...acting, embeddingProjection, ...linears]) if (linear && !linearInput.has(linear.id)) add(linear);
  return { linearInput, linearOutput };
}

/** What may stand between a product and its bias: scales of integers, and what changes how numbers are written or lie. */
const between = new Set([...rewriting, 'Mul', 'Reshape', 'Squeeze', 'Unsqueeze']);

/**
 * The product's value behind its bias, on the way that the bias was found on. A product of integers is scaled first, by one factor or
 * two; an offset may be taken back from it on the way.
 */
function outputOf(wiring: Wiring, node: Node, { bias, out }: Linear): string | undefined {
  const integers = node.opType === 'MatMulInteger';
  const inside = node.inputs.some(input => bias && constantOf(wiring, input)?.tensor === bias);
  let value = node.outputs[0] ?? '';
  if ((!bias || inside) && !integers) return asFloats(wiring, value);
  let scaled: string | undefined;
  for (let steps = 0; steps < longestChain; steps++) {
    const readers = consumersOf(wiring, value);
    if (readers.length !== 1) break;
    const next = readers[0]!;
    const reads = next.inputs.some(input => bias && constantOf(wiring, input)?.tensor === bias && isVector(bias, out));
    if (reads) return next.opType === 'Add' ? asFloats(wiring, next.outputs[0] ?? '') : undefined;
    const offset = integers && next.opType === 'Add' && next.inputs.some(input => wiring.producer.get(input)?.opType === 'Mul');
    if ((!between.has(next.opType) && !offset) || biasedActivations.has(next.opType)) break;
    if (next.opType === 'Mul' && !integers) break;
    value = next.outputs[0] ?? '';
    if (next.opType === 'Mul' || offset) scaled = value;
  }
  return bias ? undefined : scaled;
}
