import type { Table } from '../anatomy/anatomy.ts';
import { families } from '../anatomy/families/registry.ts';
import type { Model } from '../model/model.ts';
import { computed, named } from '../passes/computed.ts';
import type { QuantizeEdit } from '../passes/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';

// compressed-tensors, format int-quantized: for a linear X, X.weight int8 [out, in] and X.weight_scale f32 [out, 1]; every other
// tensor as it was; config.json says which modules and how. transformers 5 with compressed-tensors 0.20 loads it.

const WEIGHT = '.weight';

/** Linears of the families that have no weight of their own in a file: they share the embedding table, and must not be looked for. */
const TIED_DECODERS = families.map(({ decoder }) => decoder);

/** 8-bit linears in a safetensors model, and the configuration that makes transformers see them. */
export function quantizeTensors(model: Model, edits: readonly QuantizeEdit[], tables: readonly Table[]): Model {
  const byName = new Map(edits.map(edit => [edit.target.weight.name, edit]));
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors) {
    const edit = byName.get(name);
    tensors.set(name, edit ? named(edit.values, name) : tensor);
    if (edit) tensors.set(`${name}_scale`, columnOf(edit.scale, `${name}_scale`));
  }
  const config = { ...model.config, quantization_config: configuration(ignored(model, byName, tables)) };
  return { ...model, tensors, config, metadata: { format: 'pt', ...model.metadata } };
}

/** [out] as [out, 1]. */
const columnOf = (scale: Tensor, name: string): Tensor =>
  computed(name, scale.dtype, [...scale.shape, 1], (start, end, signal) => scale.bytes(start, end, signal));

/** Modules that stay as they are: every matrix that is no embedding and that no edit names, and decoders that are tied. */
function ignored(model: Model, edited: ReadonlyMap<string, unknown>, tables: readonly Table[]): string[] {
  const embeddings = new Set(tables.map(table => table.weight.name));
  const names = [...model.tensors.values()]
    .filter(({ name, shape }) => name.endsWith(WEIGHT) && shape.length === 2 && !edited.has(name) && !embeddings.has(name))
    .map(({ name }) => name.slice(0, -WEIGHT.length));
  const pooler = [...model.tensors.keys()].some(name => name.includes('pooler.')) ? [] : ['re:.*pooler.*'];
  return [...new Set([...names, ...TIED_DECODERS, ...pooler])];
}

const configuration = (ignore: readonly string[]) => ({
  quant_method: 'compressed-tensors',
  format: 'int-quantized',
  quantization_status: 'compressed',
  global_compression_ratio: null,
  kv_cache_scheme: null,
  ignore,
  config_groups: {
    group_0: {
      targets: ['Linear'],
      weights: { ...eightBits, strategy: 'channel', dynamic: false, observer: 'minmax', observer_kwargs: {} },
      input_activations: { ...eightBits, strategy: 'token', dynamic: true, observer: null, observer_kwargs: {} },
      output_activations: null,
    },
  },
});

const eightBits = { num_bits: 8, type: 'int', symmetric: true, group_size: null, block_structure: null, actorder: null };
