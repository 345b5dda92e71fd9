import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { StoreEdit } from '../passes/pass.ts';
import { FLOAT8_OPSET } from '../passes/quantize/fp8-graph.ts';
import { BLOCKS_OPSET } from '../passes/quantize/int4-opset.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import { withGroups } from './compressed-groups.ts';
import type { GraphModel } from './draft.ts';
import { decodeInFront } from './in-front.ts';
import { raise } from './raise.ts';
import { constantOfShape } from './weight-shape.ts';

/** Matrices and tables with few bits, that are multiplied out before they are used. */
export function store({ model }: Body, edits: readonly StoreEdit[]): Model {
  const { graph } = model;
  if (!graph) return withGroups(storeTensors(model, edits), edits);
  return inGraph({ ...model, graph }, edits);
}

/** DequantizeLinear takes fp8 from version 19 of the operators on; the IR version of 21 is the one that has all 8-bit floats. */
const inGraph = (model: GraphModel, edits: readonly StoreEdit[]): Model =>
  decodeInFront(
    (model.graph.opsets.get('') ?? 1) < FLOAT8_OPSET ? raise(model, BLOCKS_OPSET) : model,
    edits.map(({ target, values, scale, zeroPoint, axis }) => ({
      name: target.weight.name,
      values,
      scale,
      ...(zeroPoint && { zeroPoint }),
      ...(axis !== undefined && { axis }),
    })),
  );

/** The tensors of compressed-tensors: fp8 under the weight's own name; words as weight_packed, with the shape that they do not show. */
function storeTensors(model: Model, edits: readonly StoreEdit[]): Model {
  const byName = new Map(edits.map(edit => [edit.target.weight.name, edit]));
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors) {
    const edit = byName.get(name);
    if (!edit) {
      tensors.set(name, tensor);
      continue;
    }
    const isPacked = edit.values.dtype === 'int32';
    const put = (part: string, value: Tensor) => tensors.set(`${name}${part}`, named(value, `${name}${part}`));
    put(isPacked ? '_packed' : '', edit.values);
    put('_scale', edit.scale);
    if (edit.zeroPoint) put('_zero_point', edit.zeroPoint);
    if (isPacked) put('_shape', constantOfShape([elementCount(tensor.shape.slice(0, -1)), tensor.shape.at(-1)!]));
  }
  return { ...model, tensors, metadata: { format: 'pt', ...model.metadata } };
}
