import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { ConvertEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';
import type { GraphModel } from './draft.ts';
import { halveGraph } from './half-graph.ts';
import { decodeInFront } from './in-front.ts';

/** A model in 16 bits. There is one such edit in a plan: it names all that changes. */
export function convert({ model }: Body, [edit]: readonly ConvertEdit[]): Model {
  const { graph } = model;
  if (!graph) return convertTensors(model, edit!);
  const stored: GraphModel = { ...model, graph };
  if (edit!.depth === 'operators') return halveGraph(stored, edit!.tensors);
  return decodeInFront(
    stored,
    [...edit!.tensors].map(([name, values]) => ({ name, values })),
  );
}

/** safetensors: the numbers, and the type that transformers is to load them as. One matrix that stays wider keeps the type of all. */
function convertTensors(model: Model, { tensors: converted, dtype }: ConvertEdit): Model {
  const tensors = new Map(model.tensors);
  for (const [name, tensor] of converted) tensors.set(name, named(tensor, name));
  const isWhole = [...tensors.values()].every(it => it.dtype !== 'fp32' && it.dtype !== 'fp64');
  return { ...model, tensors, config: isWhole ? withDtype(model.config, dtype) : model.config };
}

/** transformers 5 reads "dtype", and "torch_dtype" as older ones do. An empty configuration stands for none. */
function withDtype(config: Model['config'], dtype: 'fp16' | 'bf16'): Model['config'] {
  if (Object.keys(config).length === 0) return config;
  const name = dtype === 'fp16' ? 'float16' : 'bfloat16';
  const key = 'dtype' in config && !('torch_dtype' in config) ? 'dtype' : 'torch_dtype';
  return { ...config, [key]: name };
}
