import type { Model } from '../model/model.ts';
import type { RemoveNeuronsEdit } from '../passes/pass.ts';
import { cannot, neuronsKept } from '../passes/prune/prunable.ts';
import type { Body } from './apply.ts';
import { Cuts } from './cuts.ts';
import { keptRuns } from './take.ts';
import { withTensors } from './with-tensors.ts';

/**
 * Feed-forward networks with fewer neurons: rows of the first matrix and of the gate with their biases, columns of the second. A graph
 * multiplies by the smaller matrices as it stands; config.json says the width where all layers have the same.
 */
export function removeNeurons({ model, anatomy }: Body, edits: readonly RemoveNeuronsEdit[]): Model {
  const cuts = new Cuts();
  const widths = anatomy.layers.map(({ down }) => down.in);
  for (const { layer: index, neurons, down } of edits) {
    // Layers that share are cut where their tensors are first; copies follow.
    const layer = anatomy.layers[anatomy.layers[index]?.stored ?? index];
    if (!layer) throw new RangeError(`there is no layer ${index}`);
    const reason = neuronsKept(layer);
    if (reason) throw cannot(model, reason);
    cuts.outputs(layer.up, neurons);
    if (layer.gate) cuts.outputs(layer.gate, neurons);
    cuts.inputs(layer.down, keptRuns(layer.down.in, neurons), down);
    for (const [place, { stored }] of anatomy.layers.entries())
      if (stored === layer.stored) widths[place] = layer.down.in - neurons.length;
  }
  return { ...withTensors(model, cuts.finish(anatomy)), config: withWidth(model.config, widths) };
}

/** Under whichever name the family has it. Layers of different widths are told by their tensors alone. */
function withWidth(config: Model['config'], widths: readonly number[]): Model['config'] {
  const name = ['intermediate_size', 'hidden_dim'].find(key => typeof config[key] === 'number');
  if (name === undefined || new Set(widths).size !== 1) return config;
  return { ...config, [name]: widths[0] };
}
