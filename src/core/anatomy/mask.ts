import { HeadroomError } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount } from '../tensor/tensor.ts';
import { constantOf } from './constant.ts';
import { type Flow, multiplications, softmaxes } from './flow.ts';
import { integer, type Wiring } from './wiring.ts';

/** A mask is made by at most some dozen nodes. */
const widest = 400;

const comparisons = new Set(['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);

/**
 * Does attention look at earlier tokens only, as in models that generate text? A triangle cut by Trilu, a stored square of which a part
 * is sliced (GPT-2), or a comparison of positions that is no distance.
 */
export function masksFuture(flow: Flow, node: Node): boolean {
  if (integer(node, 'unidirectional', 0) === 1 || integer(node, 'is_causal', 0) === 1 || remembers(node)) return true;
  const seen = new Set<string>();
  let [compares, measures] = [false, false];
  const waiting = softmaxes.has(node.opType) ? maskInputs(flow, node) : node.inputs.slice(3);
  for (let value = waiting.pop(); value !== undefined && seen.size < widest; value = waiting.pop()) {
    if (value === '' || seen.has(value)) continue;
    seen.add(value);
    const stored = constantOf(flow.wiring, value)?.tensor;
    if (stored && isSquare(stored.shape) && !flow.wiring.open?.has(stored.name)) return true;
    const maker = flow.wiring.producer.get(value);
    if (!maker || maker.opType === 'Shape') continue;
    if (maker.opType === 'Trilu') return true;
    if (comparisons.has(maker.opType) && maker.inputs.every(input => !constantOf(flow.wiring, input))) compares = true;
    if (maker.opType === 'Abs') measures = true;
    for (const input of maker.inputs) if (isApart(flow, input)) waiting.push(input);
  }
  return compares && !measures;
}

/** Keys and values of earlier tokens are an input of onnxruntime's operators. */
const pasts: Readonly<Record<string, number>> = { Attention: 4, QAttention: 8, MultiHeadAttention: 6 };
const remembers = ({ opType, domain, inputs }: Node): boolean =>
  domain === 'com.microsoft' && Boolean(inputs[pasts[opType] ?? -1]);

/** No data, or a stored square of which a part is looked up. */
const isApart = (flow: Flow, value: string): boolean => (flow.root.get(value)?.kind ?? 'table') === 'table';

const isSquare = (shape: readonly number[]): boolean => shape.length >= 2 && shape.at(-1)! > 1 && shape.at(-1) === shape.at(-2);

/** Most masks that are looked into; a graph of one fixed length has one, or one for each layer. */
const mostMasks = 200;

/** Names of stored squares that are no triangles: opposite corners of the first are equal. An export of one fixed length has a mask that hides nothing. */
export async function openMasks(tensors: Wiring['tensors'], signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const open = new Set<string>();
  let count = 0;
  for (const tensor of tensors.values()) {
    const { shape, dtype } = tensor;
    const [side, size] = [shape.at(-1) ?? 0, dtypes[dtype].bits / 8];
    if (shape.length < 3 || !isSquare(shape) || size < 1 || elementCount(shape.slice(0, -2)) !== 1) continue;
    if (++count > mostMasks) break;
    const corner = (index: number) => tensor.bytes(index * size, (index + 1) * size, signal);
    try {
      const [right, left] = [await corner(side - 1), await corner(side * (side - 1))];
      if (right.every((byte, index) => byte === left[index])) open.add(tensor.name);
    } catch (error) {
      if (!(error instanceof HeadroomError) || error.code === 'cancelled') throw error;
    }
  }
  return open;
}

/** What is put over the scores on the way to the softmax and is no data itself. */
function maskInputs(flow: Flow, softmax: Node): string[] {
  const scores = flow.root.get(softmax.inputs[0] ?? '');
  const found = [...softmax.inputs.slice(1)];
  let value: string | undefined = softmax.inputs[0];
  for (let steps = 0; value && steps < 16; steps++) {
    const maker: Node | undefined = flow.wiring.producer.get(value);
    if (!maker || multiplications.has(maker.opType)) break;
    for (const input of maker.inputs) if (isApart(flow, input)) found.push(input);
    value = maker.inputs.find(input => flow.root.get(input) === scores) ?? maker.inputs.find(input => flow.root.has(input));
  }
  return found;
}
