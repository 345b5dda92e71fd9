import type { Model } from '../model/model.ts';
import type { StoreEdit } from '../passes/pass.ts';
import type { DType } from '../tensor/dtype.ts';

// The quantization_config of compressed-tensors 0.20 for weights alone: a group for each way of storing, which names its modules. A
// transformers model has them with or without the prefix of its base model, so they are patterns that fit the end of a name.

const WEIGHT = '.weight';

/** The configuration that makes transformers see these weights. */
export function withGroups(model: Model, edits: readonly StoreEdit[]): Model {
  const groups = new Map<string, { readonly first: StoreEdit; readonly targets: string[] }>();
  for (const edit of edits) {
    const key = JSON.stringify(weightsOf(edit));
    const group = groups.get(key) ?? { first: edit, targets: [] };
    groups.set(key, group);
    group.targets.push(patternOf(edit));
  }
  const stored = new Set(edits.map(formatOf));
  const entries = [...groups.values()].map(({ first, targets }, i) => [
    `group_${i}`,
    { targets, weights: weightsOf(first), input_activations: null, output_activations: null, format: formatOf(first) },
  ]);
  const quantization_config = {
    quant_method: 'compressed-tensors',
    format: stored.size === 1 ? [...stored][0] : 'mixed-precision',
    quantization_status: 'compressed',
    global_compression_ratio: null,
    kv_cache_scheme: null,
    ignore: [],
    config_groups: Object.fromEntries(entries),
    // Only so transformers 5.23 reads packed zero points and tables; with several groups it would take the first for all.
    ...(groups.size === 1 && edits.some(needsDequantize) && { dequantize: true }),
  };
  return { ...model, config: { ...model.config, quantization_config } };
}

const needsDequantize = ({ zeroPoint, target, values }: StoreEdit): boolean =>
  zeroPoint !== undefined || ('rows' in target && values.dtype === 'int32');

const formats: Partial<Record<DType, string>> = {
  int32: 'pack-quantized',
  int8: 'naive-quantized',
  fp8_e4m3fn: 'float-quantized',
};
const formatOf = ({ values }: StoreEdit): string => formats[values.dtype]!;

function weightsOf({ bits, groupSize, values, scale, zeroPoint }: StoreEdit) {
  return {
    num_bits: bits,
    type: values.dtype === 'fp8_e4m3fn' ? 'float' : 'int',
    symmetric: zeroPoint === undefined,
    strategy: groupSize > 0 ? 'group' : scale.shape.length === 1 ? 'tensor' : 'channel',
    group_size: groupSize > 0 ? groupSize : null,
    dynamic: false,
  };
}

/** "bert.encoder.layer.0.output.dense" in a file is "encoder.layer.0.output.dense" in a base model. */
function patternOf({ target }: StoreEdit): string {
  const module = target.weight.name.slice(0, -WEIGHT.length);
  const own = module.endsWith(target.id) ? target.id : module;
  return `re:(.*\\.)?${own.replace(/[.+*?^${}()|[\]\\]/g, '\\$&')}$`;
}
