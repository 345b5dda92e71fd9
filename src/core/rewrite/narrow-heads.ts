import { fail } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import { withInputs } from '../model/graph-edit.ts';
import type { Model } from '../model/model.ts';
import { held, named } from '../passes/computed.ts';
import { type HeadSplit, headSplits } from '../passes/factorize/head-splits.ts';
import type { NarrowHeadsEdit } from '../passes/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import { Draft, type GraphModel } from './draft.ts';
import { tidy } from './tidy.ts';
import { withTensors } from './with-tensors.ts';

/** Query and key with narrower heads: their weights and biases, and the shapes that split them. What scales the scores stays. throws 'unsupported' */
export async function narrowHeads({ model, anatomy }: Body, edits: readonly NarrowHeadsEdit[]): Promise<Model> {
  const { graph } = model;
  const tensors = new Map<string, Tensor>();
  const splits = new Map<Node, readonly [HeadSplit, number]>();
  for (const { layer: index, width, query, key } of edits) {
    const layer = anatomy.layers[index]!;
    const found = graph && (await headSplits({ ...model, graph }, layer));
    if (!found)
      throw fail(
        'unsupported',
        'How this graph splits query and key into heads leaves no other width for them.',
        {},
        { file: model.name },
      );
    for (const split of found) splits.set(split.reshape, [split, width]);
    for (const [linear, made] of [
      [layer.query, query],
      [layer.key, key],
    ] as const) {
      tensors.set(linear.weight.name, named(made.weight, linear.weight.name));
      tensors.set(linear.bias!.name, named(made.bias, linear.bias!.name));
    }
  }
  const changed = withTensors(model, tensors) as GraphModel;
  const draft = new Draft({ ...changed, graph: { ...changed.graph, staleShapes: true } });
  for (const node of changed.graph.nodes) {
    const split = splits.get(node);
    draft.push(split ? withInputs(node, node.inputs.with(1, shapeOf(draft, ...split))) : node);
  }
  return tidy(changed, draft.finish());
}

function shapeOf(draft: Draft, { stored, values, concat }: HeadSplit, width: number): string {
  const numbers = BigInt64Array.from(values.with(-1, width), BigInt);
  const name = draft.addInitializer(stored.name, held(stored.name, 'int64', stored.shape, numbers));
  if (!concat) return name;
  const { node, at } = concat;
  return draft.emit('Concat', node.inputs.with(at, name), `${node.outputs[0]}_narrow`, Object.fromEntries(node.attributes));
}
