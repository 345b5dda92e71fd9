import { withType } from '../model/graph-edit.ts';
import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * The model with other tensors under the names of old ones. A tensor that a Constant node holds becomes an initializer; what the
 * graph says of shapes follows.
 */
export function withTensors(model: Model, changes: ReadonlyMap<string, Tensor>): Model {
  if (changes.size === 0) return model;
  const tensors = new Map(model.tensors);
  let changesShape = false;
  for (const [name, tensor] of changes) {
    const old = tensors.get(name);
    changesShape ||= old?.shape.join() !== tensor.shape.join() || old.dtype !== tensor.dtype;
    tensors.set(name, named(tensor, name));
  }
  const { graph } = model;
  if (!graph) return { ...model, tensors };
  const stored = new Set(graph.initializers);
  const fromNodes = [...changes.keys()].filter(name => !stored.has(name));
  const made = new Set(fromNodes);
  const nodes =
    made.size === 0 ? graph.nodes : graph.nodes.filter(({ opType, outputs }) => opType !== 'Constant' || !made.has(outputs[0]!));
  const inputs = graph.inputs.some(({ name }) => changes.has(name))
    ? graph.inputs.map(input => {
        const tensor = changes.get(input.name);
        return tensor ? withType(input, { dtype: tensor.dtype, shape: tensor.shape }) : input;
      })
    : graph.inputs;
  const initializers = made.size === 0 ? graph.initializers : [...graph.initializers, ...fromNodes];
  const dropped = changesShape ? { staleShapes: true as const } : {};
  return { ...model, tensors, graph: { ...graph, nodes, inputs, initializers, ...dropped } };
}
