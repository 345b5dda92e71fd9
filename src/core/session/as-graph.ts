import type { Anatomy } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import { fail } from '../errors.ts';
import { exportGraph } from '../export/export.ts';
import type { Pooling } from '../export/pooling.ts';
import { onnx } from '../format/onnx/onnx.ts';
import { type Origin, originOf } from '../format/stored.ts';
import type { Model } from '../model/model.ts';
import type { Body } from '../rewrite/apply.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount } from '../tensor/tensor.ts';
import { asDense } from './dense.ts';
import { newGraphModel } from './new-graph-model.ts';

/**
 * A checkpoint as a model with a graph, quantized matrices as the numbers they stand for; its weights are read when that is written. `left` names what the graph does not use.
 * throws 'unsupported' for what no graph is made for, 'verify-failed' when the graph does not show the checkpoint's anatomy
 */
export async function asGraph(
  checkpoint: Body,
  pooling?: Pooling,
  signal?: AbortSignal,
): Promise<Body & { readonly left: readonly string[] }> {
  const input = await asDense(checkpoint, signal);
  const { graph, tensors, left } = exportGraph(input.model, input.anatomy, pooling);
  const made = await newGraphModel(graph, input.model.name);
  const origin: Origin = { ...originOf(made)!, sources: originOf(input.model)?.sources ?? [] };
  const model = await measured({ ...made, tensors, config: input.model.config, origin });
  const anatomy = await detect(model, signal);
  checkAnatomy(input, { model, anatomy }, left.length > 0, pooling);
  return { model, anatomy, left };
}

/** With the sizes that it has when it is written. */
async function measured(model: Model): Promise<Model> {
  const files = await onnx.plan(model, model.name);
  const byteLength = files.reduce((sum, file) => sum + file.byteLength, 0);
  const tensors = [...model.tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const file = model.name;
  const parts = [
    { kind: 'graph', file, byteLength: byteLength - tensors },
    { kind: 'tensors', file, byteLength: tensors },
  ] as const;
  return { ...model, byteLength, parts };
}

/** Weights are counted, not summed up as rows: that would be a third of the time of a small model's export. */
function checkAnatomy(input: Body, made: Body, isPartial: boolean, pooling?: Pooling): void {
  const [promised, found] = [shapeOf(input.anatomy), shapeOf(made.anatomy)];
  const [expected, parameters] = [weightsIn(input) + weightsOf(pooling), weightsIn(made)];
  const isSeen = found === promised && (isPartial || made.anatomy.unclaimed.length === 0);
  if (isSeen && (isPartial || parameters === expected)) return;
  throw fail(
    'verify-failed',
    'The graph shows {found} and {parameters} parameters instead of {promised} and {expected}. Nothing was written.',
    { found, parameters, promised, expected },
    { file: input.model.name },
  );
}

/** Numbers of all matrices, tables and vectors in floating point, those of copies once. */
function weightsIn({ model, anatomy }: Body): number {
  const apart = new Set([...anatomy.copies.keys(), ...anatomy.buffers.map(({ name }) => name)]);
  let sum = 0;
  for (const { name, dtype, shape } of model.tensors.values())
    if (shape.length > 0 && dtypes[dtype].kind === 'float' && !apart.has(name)) sum += elementCount(shape);
  return sum;
}

/** Numbers that the steps behind the pooling bring. */
const weightsOf = (pooling: Pooling | undefined): number =>
  (pooling?.steps ?? [])
    .flatMap(step => (step.kind === 'dense' ? [step.weight, ...(step.bias ? [step.bias] : [])] : []))
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);

/** Heads and neurons of each layer: "12x64/3072 12x64/3072". */
const shapeOf = ({ layers }: Anatomy): string =>
  layers.map(({ heads, headDim, up }) => `${heads}x${headDim}/${up.out}`).join(' ');
