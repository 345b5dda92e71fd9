import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { CastEdit } from '../passes/pass.ts';

/** Puts the numbers of each edit in the place of the tensor they came from, under its name. Tensors by name only: a graph would need Casts. */
export function castTensors(model: Model, edits: readonly CastEdit[]): Model {
  const tensors = new Map(model.tensors);
  for (const { target, values } of edits) tensors.set(target.weight.name, named(values, target.weight.name));
  return { ...model, tensors };
}
