import type { Anatomy, Layer } from '../anatomy/anatomy.ts';
import { withInputs } from '../model/graph-edit.ts';
import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { ShareEdit } from '../passes/pass.ts';
import { isAlbert } from '../passes/share/as-albert.ts';
import { matrixParts, otherParts } from '../passes/share/parts.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import { asAlbert } from './as-albert.ts';
import { tidy } from './tidy.ts';
import { withTensors } from './with-tensors.ts';

/**
 * Layers of a group read the tensors of its first. In a graph several nodes read one initializer, and norms stay each layer's own; a
 * checkpoint becomes an ALBERT where that is what it is, and says in config.json which layer each one uses where not.
 */
export function shareLayers({ model, anatomy }: Body, edits: readonly ShareEdit[]): Model {
  const changes = new Map<string, Tensor>();
  const instead = new Map<string, string>();
  const stored = anatomy.layers.map(({ index }) => index);
  for (const { groups, tensors } of edits)
    for (const group of groups) {
      const [first, ...others] = group.map(index => anatomy.layers[index]!) as [Layer, ...Layer[]];
      const own = new Map(partsOf(model, first));
      for (const [path, tensor] of own) {
        const shared = tensors.get(`encoder.layer.${first.index}.${path}`);
        if (shared) changes.set(tensor.name, shared);
      }
      for (const layer of others) {
        stored[layer.index] = first.index;
        for (const [path, { name }] of partsOf(model, layer)) {
          const kept = own.get(path)?.name;
          if (kept !== undefined && kept !== name) instead.set(name, kept);
        }
      }
    }
  const changed = withTensors(model, changes);
  if (!changed.graph) return inCheckpoint(changed, anatomy, edits, instead, stored);
  const nodes = changed.graph.nodes.map(node =>
    node.inputs.some(name => instead.has(name))
      ? withInputs(
          node,
          node.inputs.map(name => instead.get(name) ?? name),
        )
      : node,
  );
  const before = { ...changed, graph: changed.graph };
  return tidy(before, { ...before, graph: { ...changed.graph, nodes } });
}

const partsOf = ({ graph }: Model, layer: Layer) => (graph ? matrixParts(layer) : [...matrixParts(layer), ...otherParts(layer)]);

function inCheckpoint(
  model: Model,
  anatomy: Anatomy,
  edits: readonly ShareEdit[],
  instead: ReadonlyMap<string, string>,
  stored: readonly number[],
): Model {
  const tensors = new Map([...model.tensors].filter(([name]) => !instead.has(name)));
  const shared = { ...model, tensors };
  if (!isAlbert(model, anatomy, edits)) return { ...shared, config: { ...model.config, shared_layers: stored } };
  const { names, added, config } = asAlbert(
    shared,
    anatomy,
    edits.flatMap(({ groups }) => groups).sort((a, b) => a[0]! - b[0]!),
  );
  const renamed = [...tensors].map(([name, tensor]): [string, Tensor] => {
    const next = names(name);
    return [next, next === name ? tensor : named(tensor, next)];
  });
  return { ...shared, tensors: new Map([...renamed, ...added.map((it): [string, Tensor] => [it.name, it])]), config };
}
