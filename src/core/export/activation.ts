import { fail } from '../errors.ts';
import { float, type GraphBuilder } from './graph-builder.ts';

type Activation = (graph: GraphBuilder, value: string) => string;

/** x / 2 * (1 + erf(x / sqrt 2)), in the order in which onnxruntime finds it to make one operator of it. */
const gelu: Activation = (graph, value) => {
  const erf = graph.node('Erf', [graph.node('Div', [value, graph.number(Math.SQRT2)])]);
  const product = graph.node('Mul', [value, graph.node('Add', [erf, graph.number(1)])]);
  return graph.node('Mul', [product, graph.number(0.5)]);
};

/** x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))). source: Hendrycks and Gimpel 2016. */
const geluOfTanh: Activation = (graph, value) => {
  const cube = graph.node('Mul', [graph.node('Pow', [value, graph.number(3)]), graph.number(0.044715)]);
  const inner = graph.node('Mul', [graph.node('Add', [value, cube]), graph.number(Math.sqrt(2 / Math.PI))]);
  const factor = graph.node('Add', [graph.node('Tanh', [inner]), graph.number(1)]);
  return graph.node('Mul', [graph.node('Mul', [value, graph.number(0.5)]), factor]);
};

const silu: Activation = (graph, value) => graph.node('Mul', [value, graph.node('Sigmoid', [value])]);

/** x * sigmoid(1.702 x). */
const quickGelu: Activation = (graph, value) =>
  graph.node('Mul', [value, graph.node('Sigmoid', [graph.node('Mul', [value, graph.number(1.702)])])]);

const plain =
  (opType: string): Activation =>
  (graph, value) =>
    graph.node(opType, [value]);

/** By the names of transformers' ACT2FN. */
const activations: Readonly<Record<string, Activation>> = {
  gelu,
  gelu_python: gelu,
  gelu_new: geluOfTanh,
  gelu_fast: geluOfTanh,
  gelu_pytorch_tanh: geluOfTanh,
  gelu_accurate: geluOfTanh,
  quick_gelu: quickGelu,
  relu: plain('Relu'),
  silu,
  swish: silu,
  tanh: plain('Tanh'),
  sigmoid: plain('Sigmoid'),
  leaky_relu: (graph, value) => graph.node('LeakyRelu', [value], { alpha: float(0.01) }),
  mish: (graph, value) => graph.node('Mul', [value, graph.node('Tanh', [graph.node('Softplus', [value])])]),
  linear: (_, value) => value,
};

/** throws 'unsupported' for a name that this table does not have */
export function activationOf(name: string): Activation {
  if (Object.hasOwn(activations, name)) return activations[name]!;
  throw fail('unsupported', 'config.json names the activation “{name}”, which the export does not know. Known are {known}.', {
    name,
    known: Object.keys(activations).join(', '),
  });
}
