import type { Node } from '../model/graph.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { constantOf, mayBeWeight } from './constant.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { normInputs } from './fused.ts';

export interface FoundNorm {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Divided by the root of the mean square; no mean is taken away. */
  readonly isRootMeanSquare?: boolean;
}

/**
 * The layer normalization on a path between an anchor and one of its values: one node, or the subtraction of a mean and division by a
 * deviation that older exporters leave, with the gain and shift behind them. undefined when there is none.
 */
export function normOn(flow: Flow, path: readonly Node[]): FoundNorm | undefined {
  for (const [index, node] of path.entries()) {
    const inputs = normInputs.get(node.opType);
    if (inputs)
      return {
        ...norm(...(inputs.map(at => stored(flow, node.inputs[at ?? -1])) as [Tensor?, Tensor?])),
        ...(rootMeanSquares.has(node.opType) && { isRootMeanSquare: true }),
      };
    if (isScaledByItself(flow, node)) return { ...decomposed(flow, path.slice(index + 1)), isRootMeanSquare: true };
    if (isStatistic(flow, node)) return decomposed(flow, path.slice(index + 1));
    const folded = foldedAt(flow, node, path[index + 1]);
    if (folded) return folded;
  }
  return gainAndShift(flow, path);
}

/** The norm that follows an anchor, seen on the way to any of its readers. */
export function normBehind(flow: Flow, anchor: Anchor): FoundNorm | undefined {
  for (const use of anchor.uses) {
    const found = normOn(flow, pathTo(flow, use.value));
    if (found) return found;
  }
  return undefined;
}

/** A norm that measures nothing: x * gain + shift, each a vector. Behind a product of integers, what scales it and its bias look the same. source: Sun et al., MobileBERT, ACL 2020, "NoNorm". */
function gainAndShift(flow: Flow, path: readonly Node[]): FoundNorm | undefined {
  for (const [index, node] of path.entries()) {
    const weight = isMul(node) ? vectorOf(flow, node) : undefined;
    if (!weight) continue;
    let next = index + 1;
    while (path[next] && between.has(path[next]!.opType)) next++;
    const bias = path[next] && isAdd(path[next]!) ? vectorOf(flow, path[next]!) : undefined;
    const owner = flow.root.get(path[0]!.outputs[0] ?? '')?.product;
    if (bias && weight.shape.at(-1) === bias.shape.at(-1) && owner?.scale !== weight && owner?.bias !== bias)
      return norm(weight, bias);
  }
  return undefined;
}

/** Gain and shift: the first product with a constant vector, and the sum with one right behind it. */
function decomposed(flow: Flow, path: readonly Node[]): FoundNorm {
  let weight: Tensor | undefined;
  for (const node of path) {
    const vector = vectorOf(flow, node);
    if (isMul(node) && vector && !weight) weight = vector;
    else if (isAdd(node) && vector) return norm(weight, vector);
    else if (node.opType !== 'Div' && !isMul(node) && !between.has(node.opType)) break;
  }
  return norm(weight);
}

const isMul = ({ opType }: Node): boolean => opType === 'Mul' || opType === 'QLinearMul';
const isAdd = ({ opType }: Node): boolean => opType === 'Add' || opType === 'QLinearAdd';

/** TensorFlow's form: x * m + (shift - mean * m), with m = gain / deviation. */
function foldedAt(flow: Flow, node: Node, next: Node | undefined): FoundNorm | undefined {
  if (node.opType !== 'Mul' || next?.opType !== 'Add') return undefined;
  const weight = vectorMadeBy(flow, node, 'Mul');
  const bias = vectorMadeBy(flow, next, 'Sub');
  return weight && bias && norm(weight, bias);
}

/** The constant vector in an operand that is itself made by `opType`, beside the data. */
function vectorMadeBy(flow: Flow, node: Node, opType: string): Tensor | undefined {
  for (const input of node.inputs) {
    const maker = flow.root.has(input) ? undefined : flow.wiring.producer.get(input);
    if (maker?.opType === opType) return vectorOf(flow, maker);
  }
  return undefined;
}

const norm = (weight?: Tensor, bias?: Tensor): FoundNorm => ({ ...(weight && { weight }), ...(bias && { bias }) });

const stored = (flow: Flow, value: string | undefined): Tensor | undefined =>
  value ? constantOf(flow.wiring, value)?.tensor : undefined;

/** What may stand between a mean and its subtraction. */
const between = new Set(['Cast', 'Identity', 'QuantizeLinear', 'DequantizeLinear']);

/** x - mean(x): the other operand was cut off from the data as a reduction of it. */
function isStatistic(flow: Flow, node: Node): boolean {
  if (node.opType !== 'Sub') return false;
  let producer = flow.wiring.producer.get(node.inputs[1] ?? '');
  for (let steps = 0; producer && between.has(producer.opType) && steps < 4; steps++)
    producer = flow.wiring.producer.get(producer.inputs[0] ?? '');
  return producer?.opType === 'ReduceMean';
}

const rootMeanSquares = new Set(['SimplifiedLayerNormalization', 'RMSNormalization', 'SkipSimplifiedLayerNormalization']);

/** What makes a deviation of a mean of squares. */
const deviating = new Set(['Sqrt', 'Div', 'Add', 'QLinearAdd', 'Reciprocal', 'Pow', 'Max', 'Clip']);

/** x * 1 / sqrt(mean(x^2) + epsilon), or x divided by it. */
function isScaledByItself(flow: Flow, node: Node): boolean {
  if (!isMul(node) && node.opType !== 'Div') return false;
  const operands = node.opType === 'QLinearMul' ? [node.inputs[0], node.inputs[3]] : node.inputs;
  const other = operands.find(input => input && !flow.root.has(input));
  let producer = flow.wiring.producer.get(other ?? '');
  for (let steps = 0; producer && steps < 16; steps++) {
    if (producer.opType === 'ReduceMean') return true;
    if (!deviating.has(producer.opType) && !between.has(producer.opType)) return false;
    const computed = producer.inputs.find(input => flow.wiring.producer.has(input) && !constantOf(flow.wiring, input));
    producer = flow.wiring.producer.get(computed ?? '');
  }
  return false;
}

function vectorOf(flow: Flow, node: Node): Tensor | undefined {
  for (const input of node.inputs) {
    const tensor = constantOf(flow.wiring, input)?.tensor;
    if (tensor && mayBeWeight(tensor) && elementCount(tensor.shape) > 1 && tensor.shape.at(-1) === elementCount(tensor.shape))
      return tensor;
  }
  return undefined;
}
