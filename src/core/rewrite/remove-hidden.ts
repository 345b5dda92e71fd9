import { wideningId } from '../anatomy/ids.ts';
import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { RemoveHiddenEdit } from '../passes/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Body, hasGraph } from './apply.ts';
import { removeHiddenInGraph } from './remove-hidden-in-graph.ts';

/** Hidden states of fewer numbers. config.json says so; no class of transformers has the matrices that stand around the halves. */
export async function removeHidden(body: Body, edits: readonly RemoveHiddenEdit[]): Promise<Model> {
  let { model } = body;
  for (const edit of edits) {
    const config = withSize(model.config, body, edit);
    model = {
      ...(hasGraph(model) ? await removeHiddenInGraph(model, body.anatomy, edit) : inCheckpoint(model, body, edit)),
      config,
    };
  }
  return model;
}

/** encoder.layer.0.attention.output.skip.weight and encoder.layer.0.output.skip.weight behind the matrices they are added to. */
function inCheckpoint(model: Model, { anatomy }: Body, { tensors: changes, skips, widening }: RemoveHiddenEdit): Model {
  const behind = new Map<string, Tensor[]>();
  const add = (after: string, name: string, tensor: Tensor) => {
    behind.set(after, [...(behind.get(after) ?? []), named(tensor, name)]);
  };
  for (const { index, output, down } of anatomy.layers) {
    const stem = stemOf(output.weight.name);
    add(output.weight.name, `${stem}attention.output.skip.weight`, skips[2 * index]!);
    add(down.weight.name, `${stem}output.skip.weight`, skips[2 * index + 1]!);
  }
  const last = anatomy.layers.at(-1)!.down.weight.name;
  const outer = stemOf(last).replace(/layer\.\d+\.$/, wideningId.replace('encoder.', ''));
  add(last, `${outer}.weight`, widening.weight);
  add(last, `${outer}.bias`, widening.bias);
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors) {
    const changed = changes.get(name);
    tensors.set(name, changed ? named(changed, name) : tensor);
    for (const each of behind.get(name) ?? []) tensors.set(each.name, each);
  }
  return { ...model, tensors };
}

/** "bert.encoder.layer.3.attention.output.dense.weight" -> "bert.encoder.layer.3." */
function stemOf(name: string): string {
  const found = name.match(/^.*?layer\.\d+\./)?.[0];
  if (!found) throw new RangeError(`${name} does not say its layer`);
  return found;
}

/** The width of a head follows from hidden_size no longer. */
function withSize(config: Model['config'], { anatomy, model }: Body, { hidden }: RemoveHiddenEdit): Model['config'] {
  const key = typeof config.dim === 'number' ? 'dim' : 'hidden_size';
  if (model.graph && config[key] === undefined) return config;
  const { headDim } = anatomy.layers[0]!;
  return { ...config, [key]: hidden, ...(headDim > 0 && { head_dim: headDim }), pruned_hidden: anatomy.hidden };
}
