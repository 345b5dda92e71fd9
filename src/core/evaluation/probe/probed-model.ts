import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';

/** The model with these values as further outputs, in front of none of its own. Their types are left to the runtime to find. */
export function probedModel<M extends Model & { readonly graph: Graph }>(model: M, names: Iterable<string>): M {
  const { graph } = model;
  const there = new Set(graph.outputs.map(({ name }) => name));
  const added = [...new Set(names)].filter(name => !there.has(name)).map(name => ({ name }));
  return added.length === 0 ? model : { ...model, graph: { ...graph, outputs: [...graph.outputs, ...added] } };
}
