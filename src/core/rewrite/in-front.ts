import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel, int } from './draft.ts';

/** A stored tensor that takes the place of a floating-point one. */
export interface Stored {
  /** Of the tensor it stands for. */
  readonly name: string;
  readonly values: Tensor;
  /** With a scale the numbers are values * scale, without one they are the values. */
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  /** Of the scale; none where there is one scale in all. */
  readonly axis?: number;
}

/**
 * A graph whose tensors lie in narrower types: a Cast or DequantizeLinear in front of everything gives each its old name and numbers,
 * so that no reader changes, in inner graphs either. Runtimes do the Casts once, when they load the model.
 */
export function decodeInFront(model: GraphModel, stored: readonly Stored[]): GraphModel {
  const names = new Set(stored.map(({ name }) => name));
  const draft = new Draft(model);
  for (const { name, values, scale, zeroPoint, axis } of stored) {
    const old = model.tensors.get(name)!;
    const inputs = [draft.addInitializer(`${name}_${values.dtype}`, values, name)];
    if (scale) inputs.push(draft.addInitializer(`${name}_scale`, scale, name));
    if (zeroPoint) inputs.push(draft.addInitializer(`${name}_zero_point`, zeroPoint, name));
    if (scale) draft.define('DequantizeLinear', inputs, name, axis === undefined ? {} : { axis: int(axis) });
    else draft.define('Cast', inputs, name, { to: int(dtypes[old.dtype].onnx) });
  }
  const isReplaced = (node: GraphModel['graph']['nodes'][number]) => node.opType === 'Constant' && names.has(node.outputs[0]!);
  draft.push(...model.graph.nodes.filter(node => !isReplaced(node)));
  const made = draft.finish();
  const tensors = new Map([...made.tensors].filter(([name]) => !names.has(name)));
  const initializers = made.graph.initializers.filter(name => !names.has(name));
  const inputs = made.graph.inputs.filter(({ name }) => !names.has(name));
  return { ...made, tensors, graph: { ...made.graph, initializers, inputs } };
}
