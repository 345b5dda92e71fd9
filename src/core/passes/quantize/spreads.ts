import type { Anatomy, Linear } from '../../anatomy/anatomy.ts';
import { floatsOf, isFloat, rowRuns } from '../../kernels/floats.ts';
import type { Graph, Node } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { sidesOf } from './eight-bits.ts';

/** How large the channels of a value get: measured, or expected. */
export interface Spread {
  readonly width: number;
  /** [width] */
  readonly largest: (signal?: AbortSignal) => Promise<Float32Array>;
}

/** A normalized value rarely is further from 0. */
const DEVIATIONS = 4;

/**
 * What the weights alone say of the values that products read: behind a norm, 4 |gain| + |bias|; what attention gathers, by the
 * lengths of the rows of the value matrix. Nothing is read before it is asked for.
 */
export function spreadsByNorm(
  model: Model & { readonly graph: Graph },
  anatomy: Anatomy,
): Pick<ReadonlyMap<string, Spread>, 'get'> {
  const producers = new Map(model.graph.nodes.flatMap(node => node.outputs.map(output => [output, node] as const)));
  const gathered = new Map<string, Spread>();
  for (const { output, value } of anatomy.layers)
    for (const node of output.nodes) {
      const spread = spreadOfValues(value);
      if (spread) gathered.set(node.inputs[0]!, spread);
    }
  const cache = new Map<string, Spread | undefined>();
  return {
    get(value) {
      if (!cache.has(value)) cache.set(value, gathered.get(value) ?? spreadBehindNorm(value, producers, model.tensors));
      return cache.get(value);
    },
  };
}

type Producers = ReadonlyMap<string, Node>;
type Tensors = Model['tensors'];

/** Operators that normalize, and where their gain and bias are. */
const norms: ReadonlyMap<string, readonly [gain: number, bias: number]> = new Map([
  ['LayerNormalization', [1, 2]],
  ['SkipLayerNormalization', [2, 3]],
  ['SimplifiedLayerNormalization', [1, -1]],
  ['SkipSimplifiedLayerNormalization', [2, -1]],
  ['RMSNormalization', [1, -1]],
  ['EmbedLayerNormalization', [5, 6]],
]);

function spreadBehindNorm(value: string, producers: Producers, tensors: Tensors): Spread | undefined {
  let node = producers.get(value);
  while (node && (node.opType === 'Identity' || node.opType === 'Cast' || node.opType === 'Dropout'))
    node = producers.get(node.inputs[0]!);
  if (!node) return undefined;
  const places = norms.get(node.opType);
  if (places) {
    const [gain, bias] = places.map(at => tensors.get(node!.inputs[at] ?? ''));
    return gain && spreadOf(gain, bias);
  }
  if (node.opType === 'Mul') return gainOf(node, tensors, tensor => spreadOf(tensor));
  if (node.opType !== 'Add') return undefined;
  const bias = node.inputs.map(name => tensors.get(name)).find(isVector);
  const scaled = node.inputs.map(name => producers.get(name)).find(maker => maker?.opType === 'Mul');
  return bias && scaled && gainOf(scaled, tensors, tensor => spreadOf(tensor, bias));
}

const isVector = (tensor: Tensor | undefined): tensor is Tensor =>
  tensor !== undefined && isFloat(tensor.dtype) && tensor.shape.length === 1 && tensor.shape[0]! > 1;

const gainOf = (node: Node, tensors: Tensors, then: (gain: Tensor) => Spread | undefined): Spread | undefined => {
  const gain = node.inputs.map(name => tensors.get(name)).find(isVector);
  return gain && then(gain);
};

function spreadOf(gain: Tensor, bias?: Tensor): Spread | undefined {
  const width = elementCount(gain.shape);
  if (!isFloat(gain.dtype) || (bias && (!isFloat(bias.dtype) || elementCount(bias.shape) !== width))) return undefined;
  return {
    width,
    largest: async signal => {
      const gains = await floatsOf(gain, 0, width, signal);
      const shifts = bias ? await floatsOf(bias, 0, width, signal) : undefined;
      return gains.map((it, i) => DEVIATIONS * Math.abs(it) + Math.abs(shifts?.[i] ?? 0));
    },
  };
}

/** The length of each row of the value matrix, and its bias: attention only averages what it gives. */
function spreadOfValues(linear: Linear): Spread | undefined {
  const { weight, bias, out, transposed, form } = linear;
  if (form !== 'dense' || !isFloat(weight.dtype) || weight.shape.length !== 2) return undefined;
  return {
    width: out,
    largest: async signal => {
      const squares = new Float64Array(out);
      const [rows, columns] = sidesOf(weight);
      for await (const { first, values_RC } of rowRuns(weight, columns, 0, rows, signal))
        addSquares(values_RC, columns, transposed ? undefined : first, squares);
      const shifts = bias && isFloat(bias.dtype) ? await floatsOf(bias, 0, out, signal) : undefined;
      return Float32Array.from(squares, (square, i) => Math.sqrt(square) + Math.abs(shifts?.[i] ?? 0));
    },
  };
}

/** Sums of squares by column, or, from row `first` on, by row. */
function addSquares(values_RC: Float32Array, columns: number, first: number | undefined, into: Float64Array): void {
  for (let at = 0, row = first ?? 0; at < values_RC.length; at += columns, row++) {
    if (first === undefined) for (let c = 0; c < columns; c++) into[c]! += values_RC[at + c]! ** 2;
    else {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += values_RC[at + c]! ** 2;
      into[row]! += sum;
    }
  }
}
