import { integer, integers } from '../../anatomy/wiring.ts';
import type { Node } from '../../model/graph.ts';
import { broadcast, type Known, known, mostNumbers, sizeOf } from './known.ts';

type Given = readonly (Known | undefined)[];
type Rule = (given: Given, node: Node) => readonly (Known | undefined)[];

/** What is known of a node's outputs, from what is known of its inputs; undefined for an operator without a rule. */
export function followShapes(node: Node, given: Given): readonly (Known | undefined)[] {
  const rule = rules.get(node.opType);
  return rule && given[0] ? rule(given, node) : [];
}

const same: Rule = ([first]) => [first];
const sameShape: Rule = ([first]) => [known(first!.shape)];

const elementwise: Rule = (given, { opType, inputs }) => {
  const there = given.filter(it => it !== undefined);
  if (there.length < inputs.length) return [];
  const shape = broadcast(there.map(it => it.shape));
  if (!shape) return [];
  const compute = arithmetic[opType];
  if (!compute || there.some(it => !it.numbers)) return [known(shape)];
  const at = (it: Known, i: number) => it.numbers![it.numbers!.length === 1 ? 0 : i]!;
  return [
    known(
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => compute(...there.map(it => at(it, i)))),
    ),
  ];
};

/** On shapes: numbers that exporters compute with before they reach a Reshape. */
const arithmetic: Readonly<Record<string, (...values: number[]) => number>> = {
  Add: (a, b) => a! + b!,
  Sub: (a, b) => a! - b!,
  Mul: (a, b) => a! * b!,
  Div: (a, b) => Math.trunc(a! / b!),
  Max: (...values) => Math.max(...values),
  Min: (...values) => Math.min(...values),
  Equal: (a, b) => Number(a === b),
  Where: (condition, a, b) => (condition ? a! : b!),
};

const matMul: Rule = ([a, b]) => (a && b ? [known(productShape(a.shape, b.shape))] : []);

/** [..., M, K] times [..., K, N]. */
export function productShape(a: readonly number[], b: readonly number[]): number[] {
  const before = broadcast([a.slice(0, -2), b.slice(0, -2)]) ?? a.slice(0, -2);
  return [...before, ...(a.length > 1 ? [a.at(-2)!] : []), ...(b.length > 1 ? [b.at(-1)!] : [])];
}

const gemm: Rule = ([a, b], node) =>
  a && b ? [known([a.shape.at(integer(node, 'transA', 0) ? 1 : 0)!, b.shape.at(integer(node, 'transB', 0) ? 0 : 1)!])] : [];

const shapeOf: Rule = ([value], node) => {
  const { shape } = value!;
  const found = shape.slice(integer(node, 'start', 0), integer(node, 'end', shape.length));
  return [known([found.length], found)];
};

const gather: Rule = ([data, indices], node) => {
  if (!indices) return [];
  const { shape, numbers } = data!;
  const axis = axisOf(integer(node, 'axis', 0), shape.length);
  const result = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  const picked = numbers && shape.length === 1 ? indices.numbers?.map(i => numbers.at(i)!) : undefined;
  return [known(result, picked)];
};

const reshape: Rule = ([data, to], node) => {
  if (!to?.numbers) return [];
  const zeroIsZero = integer(node, 'allowzero', 0) === 1;
  const sizes = to.numbers.map((size, i) => (size === 0 && !zeroIsZero ? data!.shape[i]! : size));
  const rest = sizes.filter(size => size !== -1);
  const free = sizeOf(data!.shape) / sizeOf(rest);
  return [
    known(
      sizes.map(size => (size === -1 ? free : size)),
      data!.numbers,
    ),
  ];
};

const transpose: Rule = ([data], node) => {
  const order = integers(node, 'perm') ?? data!.shape.map((_, i) => data!.shape.length - 1 - i);
  return [known(order.map(axis => data!.shape[axis]!))];
};

/** Axes stand in an input from opset 13 on, in an attribute before. */
const axesOf = (given: Given, node: Node): readonly number[] | undefined => given[1]?.numbers ?? integers(node, 'axes');

const unsqueeze: Rule = (given, node) => {
  const axes = axesOf(given, node);
  if (!axes) return [];
  const rank = given[0]!.shape.length + axes.length;
  const added = new Set(axes.map(axis => axisOf(axis, rank)));
  const rest = [...given[0]!.shape];
  return [
    known(
      Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : rest.shift()!)),
      given[0]!.numbers,
    ),
  ];
};

const squeeze: Rule = (given, node) => {
  const { shape, numbers } = given[0]!;
  const axes = axesOf(given, node)?.map(axis => axisOf(axis, shape.length));
  if (!axes && node.inputs[1]) return [];
  return [
    known(
      shape.filter((size, i) => (axes ? !axes.includes(i) : size !== 1)),
      numbers,
    ),
  ];
};

const concat: Rule = (given, node) => {
  if (given.some(it => !it)) return [];
  const parts = given as readonly Known[];
  const axis = axisOf(integer(node, 'axis', 0), parts[0]!.shape.length);
  const total = parts.reduce((sum, it) => sum + it.shape[axis]!, 0);
  const numbers = parts.every(it => it.numbers && it.shape.length === 1) ? parts.flatMap(it => it.numbers!) : undefined;
  return [
    known(
      parts[0]!.shape.map((size, i) => (i === axis ? total : size)),
      numbers,
    ),
  ];
};

const slice: Rule = (given, node) => {
  const { shape, numbers } = given[0]!;
  const [starts, ends] = [given[1]?.numbers ?? integers(node, 'starts'), given[2]?.numbers ?? integers(node, 'ends')];
  if (!starts || !ends || (node.inputs[4] && !given[4]?.numbers) || (node.inputs[3] && !given[3]?.numbers)) return [];
  const axes = given[3]?.numbers ?? integers(node, 'axes') ?? starts.map((_, i) => i);
  const result = [...shape];
  let picked = numbers;
  for (const [i, raw] of axes.entries()) {
    const axis = axisOf(raw, shape.length);
    const step = given[4]?.numbers?.[i] ?? 1;
    if (step < 1) return [];
    const bound = (value: number) => Math.max(0, Math.min(shape[axis]!, value < 0 ? value + shape[axis]! : value));
    const [start, end] = [bound(starts[i]!), bound(ends[i]!)];
    result[axis] = Math.max(0, Math.ceil((end - start) / step));
    picked = shape.length === 1 ? picked?.slice(start, end).filter((_, at) => at % step === 0) : undefined;
  }
  return [known(result, picked)];
};

const split: Rule = (given, node) => {
  const { shape } = given[0]!;
  const axis = axisOf(integer(node, 'axis', 0), shape.length);
  const count = node.outputs.length;
  const parts = given[1]?.numbers ?? integers(node, 'split') ?? new Array<number>(count).fill(Math.ceil(shape[axis]! / count));
  return parts.map(part => known(shape.map((size, i) => (i === axis ? part : size))));
};

const expand: Rule = ([data, to]) => {
  const shape = to?.numbers && broadcast([data!.shape, to.numbers]);
  return shape ? [known(shape)] : [];
};

const reduce: Rule = (given, node) => {
  const { shape } = given[0]!;
  if (node.inputs[1] && !given[1]?.numbers) return [];
  const axes = (axesOf(given, node) ?? shape.map((_, i) => i)).map(axis => axisOf(axis, shape.length));
  const keeps = integer(node, 'keepdims', 1) === 1;
  return [known(shape.flatMap((size, i) => (!axes.includes(i) ? [size] : keeps ? [1] : [])))];
};

const flatten: Rule = ([data], node) => {
  const axis = integer(node, 'axis', 1);
  return [known([sizeOf(data!.shape.slice(0, axis)), sizeOf(data!.shape.slice(axis))])];
};

const range: Rule = ([start, limit, delta]) => {
  const [from, to, step] = [start, limit, delta].map(it => it?.numbers?.[0]);
  if (from === undefined || to === undefined || step === undefined) return [];
  const length = Math.max(0, Math.ceil((to - from) / step));
  return [known([length], length <= mostNumbers ? Array.from({ length }, (_, i) => from + i * step) : undefined)];
};

const gatherNd: Rule = ([data, indices], node) => {
  if (!indices) return [];
  const batch = integer(node, 'batch_dims', 0);
  return [known([...indices.shape.slice(0, -1), ...data!.shape.slice(batch + indices.shape.at(-1)!)])];
};

const tile: Rule = ([data, repeats]) =>
  repeats?.numbers ? [known(data!.shape.map((size, i) => size * repeats.numbers![i]!))] : [];

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const rules = new Map<string, Rule>();
const all = (rule: Rule, names: string) => names.split(' ').forEach(name => void rules.set(name, rule));
all(same, 'Identity Cast Dropout');
all(
  sameShape,
  'Erf Tanh Gelu Relu LeakyRelu Sigmoid Sqrt Reciprocal Exp Log Neg Abs Floor Ceil Round Sign Sin Cos Clip Not IsNaN IsInf Softmax LogSoftmax LayerNormalization SimplifiedLayerNormalization SkipLayerNormalization BiasGelu FastGelu QuickGelu CumSum Trilu ScatterND ScatterElements QuantizeLinear DequantizeLinear MultiHeadAttention HardSigmoid HardSwish',
);
all(elementwise, 'Add Sub Mul Div Pow Mod Max Min Where Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor');
all(matMul, 'MatMul MatMulInteger MatMulIntegerToFloat DynamicQuantizeMatMul');
all(reduce, 'ReduceMean ReduceSum ReduceMin ReduceMax ReduceProd ReduceL2 ReduceSumSquare');
all(gemm, 'Gemm');
all(shapeOf, 'Shape');
all(gather, 'Gather');
all(reshape, 'Reshape');
all(transpose, 'Transpose');
all(unsqueeze, 'Unsqueeze');
all(squeeze, 'Squeeze');
all(concat, 'Concat');
all(slice, 'Slice');
all(split, 'Split');
all(expand, 'Expand');
all(flatten, 'Flatten');
all(range, 'Range');
all(gatherNd, 'GatherND');
all(tile, 'Tile');
// The numbers, their scale and their zero point.
rules.set('DynamicQuantizeLinear', ([data]) => [known(data!.shape), known([]), known([])]);
rules.set('Size', ([data]) => [known([], [sizeOf(data!.shape)])]);
rules.set('GatherElements', ([, indices]) => [indices && known(indices.shape)]);
// Its value stands in as a second input.
rules.set('ConstantOfShape', ([to, fill]) => {
  if (!to?.numbers) return [];
  const size = sizeOf(to.numbers);
  return [known(to.numbers, fill?.numbers && size <= mostNumbers ? new Array<number>(size).fill(fill.numbers[0]!) : undefined)];
});
// ids [B, T], its tables, … gives [B, T, C].
rules.set('EmbedLayerNormalization', given => (given[2] ? [known([...given[0]!.shape, given[2].shape.at(-1)!])] : []));
// A fused attention's input stays its shape but for the width, which its weight gives.
for (const name of ['Attention', 'QAttention'])
  rules.set(name, ([data, weight]) => (weight ? [known([...data!.shape.slice(0, -1), weight.shape.at(-1)! / 3])] : []));
rules.set('MatMulNBits', ([data], node) => [known([...data!.shape.slice(0, -1), integer(node, 'N', 0)])]);
rules.set('FusedMatMul', ([a, b], node) => {
  if (!b) return [];
  const turned = (shape: readonly number[], turn: number) =>
    turn ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
  return [known(productShape(turned(a!.shape, integer(node, 'transA', 0)), turned(b.shape, integer(node, 'transB', 0))))];
});
rules.set('QLinearMatMul', given => (given[3] ? [known(productShape(given[0]!.shape, given[3].shape))] : []));
