import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';
import type { ReplaceEdit } from '../passes/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { withTensors } from './with-tensors.ts';

/** The model with other numbers in the same places; copies of a replaced tensor follow it. */
export function replaceTensors(model: Model, anatomy: Anatomy, edits: readonly ReplaceEdit[]): Model {
  const changes = new Map<string, Tensor>();
  const put = (old: Tensor | undefined, tensor: Tensor | undefined) => {
    if (!tensor) return;
    if (!old) throw new RangeError(`nothing to put ${tensor.name} in place of`);
    if (old.shape.join() !== tensor.shape.join())
      throw new RangeError(`${old.name} has shape [${old.shape}], its replacement [${tensor.shape}]`);
    for (const name of [old.name, ...copiesOf(anatomy, old.name)]) changes.set(name, tensor);
  };
  for (const { target, weight, bias } of edits) {
    put(target.weight, weight);
    put('bias' in target ? target.bias : undefined, bias);
  }
  return withMasks(withTensors(model, changes));
}

/** config.json says what is stored as bitmasks, as compressed-tensors reads it. */
function withMasks(model: Model): Model {
  const isMasked = [...model.tensors.values()].some(({ bitmask }) => bitmask);
  if (model.format !== 'safetensors' || !isMasked) return model;
  const before = model.config.quantization_config as Readonly<Record<string, unknown>> | undefined;
  const sparsity_config = { format: 'sparse-bitmask', sparsity_structure: 'unstructured', targets: [], ignore: [] };
  return {
    ...model,
    config: { ...model.config, quantization_config: { quant_method: 'compressed-tensors', ...before, sparsity_config } },
  };
}

const copiesOf = ({ copies }: Anatomy, name: string): string[] =>
  [...copies].flatMap(([copy, first]) => (first === name ? [copy] : []));
