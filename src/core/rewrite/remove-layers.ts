import { taps } from '../anatomy/taps.ts';
import { sentence } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import { withInputs } from '../model/graph-edit.ts';
import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { RemoveLayersEdit } from '../passes/pass.ts';
import { cannot } from '../passes/prune/prunable.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import type { GraphModel } from './draft.ts';
import { tidy } from './tidy.ts';

/** Fewer layers: who read what a layer gave reads what it was given. Those that stay are numbered from 0 again. */
export function removeLayers({ model, anatomy }: Body, edits: readonly RemoveLayersEdit[]): Model {
  const removed = new Set(edits.flatMap(({ layers }) => layers));
  const kept = anatomy.layers.filter(({ index }) => !removed.has(index));
  if (kept.length === 0) throw new RangeError('no layer stays');
  const config = withCount(model.config, kept.length, removed);
  if (hasGraph(model)) return { ...bridged({ model, anatomy }, removed, model), config };
  return { ...renumbered(model, anatomy.layers.length, removed), config };
}

const hasGraph = (model: Model): model is GraphModel => model.graph !== undefined;

function bridged({ anatomy }: Body, removed: ReadonlySet<number>, model: GraphModel): Model {
  const { layers } = taps(model, anatomy);
  const instead = new Map<string, string>();
  for (const { index, input, output } of layers) {
    if (!removed.has(index)) continue;
    if (input === undefined || output === undefined)
      throw cannot(model, sentence('What enters and leaves layer {layer} is not a value of this graph.', { layer: index }));
    instead.set(output, instead.get(input) ?? input);
  }
  if (instead.size < removed.size)
    throw cannot(model, sentence('The layers of this graph are not understood well enough to remove one.'));
  const reads = (node: Node): Node =>
    node.inputs.some(name => instead.has(name))
      ? withInputs(
          node,
          node.inputs.map(name => instead.get(name) ?? name),
        )
      : node;
  const outputs = new Set(model.graph.outputs.map(({ name }) => name));
  const lost = [...instead.keys()].find(name => outputs.has(name));
  const nodes = model.graph.nodes.map(reads);
  // The graph gives out what its last layer made: the layer before it gives it under that name.
  const last: Node[] = lost === undefined ? [] : [identity(instead.get(lost)!, lost)];
  const others = lost === undefined ? nodes : nodes.flatMap(node => withoutOutput(node, lost));
  return tidy(model, { ...model, graph: { ...model.graph, nodes: [...others, ...last] } });
}

const identity = (from: string, to: string): Node => ({
  opType: 'Identity',
  domain: '',
  name: '',
  inputs: [from],
  outputs: [to],
  attributes: new Map(),
  metadata: {},
});

/** A node of a removed layer makes this output no more; without any other it goes, and all that only it read. */
function withoutOutput(node: Node, name: string): Node[] {
  if (!node.outputs.includes(name)) return [node];
  const outputs = node.outputs.map(output => (output === name ? '' : output));
  return outputs.some(output => output !== '') ? [{ ...node, outputs }] : [];
}

/** bert.encoder.layer.7.output.dense.weight becomes bert.encoder.layer.6.output.dense.weight when one before it went. */
function renumbered(model: Model, count: number, removed: ReadonlySet<number>): Model {
  const places = new Map<number, number>();
  for (let layer = 0; layer < count; layer++) if (!removed.has(layer)) places.set(layer, places.size);
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors) {
    const found = layerInName.exec(name);
    if (!found) {
      tensors.set(name, tensor);
      continue;
    }
    const place = places.get(Number(found[2]));
    if (place === undefined) continue;
    const next = place === Number(found[2]) ? name : `${found[1]}${place}${name.slice(found[0].length)}`;
    tensors.set(next, next === name ? tensor : named(tensor, next));
  }
  return { ...model, tensors };
}

const layerInName = /^((?:.*\.)?(?:layers?|h|blocks?)\.)(\d+)(?=\.)/;

/** Under whichever name the family has it; lists by layer lose the entries of those that went. */
function withCount(config: Model['config'], count: number, removed: ReadonlySet<number>): Model['config'] {
  const name = ['num_hidden_layers', 'n_layers', 'num_layers'].find(key => typeof config[key] === 'number');
  const changed: Record<string, unknown> = name === undefined ? { ...config } : { ...config, [name]: count };
  const pruned = config.pruned_heads as Readonly<Record<string, unknown>> | undefined;
  if (pruned && typeof pruned === 'object') {
    const kept = Object.entries(pruned).filter(([layer]) => !removed.has(Number(layer)));
    const shifted = (layer: number) => layer - [...removed].filter(each => each < layer).length;
    changed.pruned_heads = Object.fromEntries(kept.map(([layer, heads]) => [String(shifted(Number(layer))), heads]));
  }
  return changed;
}
