import type { Anatomy, Norm } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { rowRuns } from '../../kernels/floats.ts';
import { readAhead } from '../../kernels/read-ahead.ts';
import type { Model } from '../../model/model.ts';
import { dtypes } from '../../tensor/dtype.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import type { ConvertEdit, PassContext, Plan, Skipped } from '../pass.ts';
import { asBfloat, asHalf, asHalfOrAgain, LARGEST_HALF, largestIn } from './as-half.ts';
import { idleGlobs, leftOut, quantizedAlready } from './choice.ts';
import { overflowing } from './overflowing.ts';
import type { QuantizeOptions } from './scheme.ts';

export type Sixteen = 'fp16' | 'bf16';

/** From this version of the operators on a Cast gives and takes bf16. */
const LEAST_OPSET_BF16 = 13;

/** A Cast adds about 200 bytes to a graph; below this a tensor in 16 bits makes the file larger. */
const WORTH_A_CAST = 1024;

/**
 * A whole model in 16 bits. Every floating-point tensor of 32 or 64 bits, but those that hold more than 65504 and those a person
 * leaves out. rewrite/half-graph.ts says what the operators do.
 */
export async function planSixteen(
  dtype: Sixteen,
  anatomy: Anatomy,
  options: QuantizeOptions,
  context: PassContext,
): Promise<Plan> {
  const { model } = context;
  const unfit = dtype === 'bf16' ? unfitForBfloat(model) : undefined;
  if (unfit) return { edits: [], skipped: [{ target: model.name, reason: unfit }] };
  const owners = ownersOf(anatomy);
  const skipped: Skipped[] = [...quantizedAlready(anatomy)];
  const kept = new Set<string>();
  const leave = (target: string, reason: Sentence) => {
    kept.add(target);
    skipped.push({ target, reason });
  };
  const organs = [...anatomy.tables, ...anatomy.linears];
  for (const { id, form } of organs) {
    const reason = form === 'quantized' ? undefined : leftOut(id, options);
    if (reason) leave(id, reason);
  }
  if (dtype === 'fp16') for (const { id, reason } of await overflowing(anatomy, context)) if (!kept.has(id)) leave(id, reason);
  const tensors = new Map<string, Tensor>();
  const beside = besideIntegers(anatomy);
  const ownerOf = ({ name }: Tensor) => owners.get(anatomy.copies.get(name) ?? name);
  const own = ownTensors(model).filter(tensor => !kept.has(ownerOf(tensor) ?? '') && !beside.has(tensor.name));
  const looks = dtype === 'fp16' && !context.trusting;
  const beyond = looks ? await beyondHalf(own.filter(ownerOf), context.signal) : new Set();
  for (const tensor of own) {
    const { name } = tensor;
    const owner = ownerOf(tensor);
    if (owner && kept.has(owner)) continue;
    if (owner && beyond.has(tensor)) {
      leave(owner, sentence('It holds numbers beyond 65504, the largest that fp16 has: it stays in 32 bits.'));
      continue;
    }
    tensors.set(name, dtype === 'bf16' ? asBfloat(tensor) : owner && context.trusting ? asHalfOrAgain(tensor) : asHalf(tensor));
  }
  // A bias goes with its matrix, whichever of the two it was that stays.
  for (const name of [...tensors.keys()]) if (kept.has(owners.get(anatomy.copies.get(name) ?? name) ?? '')) tensors.delete(name);
  const ids = organs.map(({ id }) => id);
  skipped.push(...idleGlobs(ids, options));
  const onlyStored = storedOnly(dtype, anatomy, model);
  if (onlyStored) for (const [name, { byteLength }] of tensors) if (byteLength < WORTH_A_CAST) tensors.delete(name);
  if (tensors.size === 0) return { edits: [], skipped: skipped.length > 0 ? skipped : [nothing(model)] };
  if (onlyStored) skipped.push({ target: model.name, reason: onlyStored });
  const edit: ConvertEdit = { kind: 'convert', dtype, tensors, depth: onlyStored ? 'storage' : 'operators' };
  return { edits: [edit], skipped };
}

/** 32 and 64 bits of floating point that the model itself has; what graphs within nodes hold goes with them. */
function ownTensors(model: Model): Tensor[] {
  const isOwn = ownNames(model);
  return [...model.tensors.values()].filter(
    ({ name, dtype, shape }) => (dtype === 'fp32' || dtype === 'fp64') && elementCount(shape) > 0 && isOwn(name),
  );
}

function ownNames({ graph }: Model): (name: string) => boolean {
  if (!graph) return () => true;
  const names = new Set(graph.initializers);
  for (const node of graph.nodes) if (node.opType === 'Constant' && node.outputs[0]) names.add(node.outputs[0]);
  return name => names.has(name);
}

/** Scales and zero points of what is quantized already keep the type their operators ask for. */
function besideIntegers({ linears, tables }: Anatomy): ReadonlySet<string> {
  const packed = [...linears, ...tables].flatMap(({ scale, zeroPoint, packed }) => [
    scale,
    zeroPoint,
    ...(packed?.tensors ?? []),
  ]);
  return new Set(packed.flatMap(tensor => tensor?.name ?? []));
}

/** Id of the organ of each weight, bias and norm. */
function ownersOf({ linears, tables, layers, embeddingNorm, top }: Anatomy): Map<string, string> {
  const owners = new Map<string, string>();
  const own = (id: string, ...tensors: (Tensor | undefined)[]) => {
    for (const tensor of tensors) if (tensor) owners.set(tensor.name, id);
  };
  const norms: (Norm | undefined)[] = [
    embeddingNorm,
    ...layers.flatMap(it => [it.attentionNorm, it.outputNorm]),
    ...top.map(it => it.norm),
  ];
  for (const norm of norms) if (norm) own(norm.id, norm.weight, norm.bias);
  for (const { id, linear, tensor } of top) own(id, linear?.weight, linear?.bias, tensor);
  for (const { id, weight } of tables) own(id, weight);
  for (const { id, weight, bias } of linears) own(id, weight, bias);
  return owners;
}

/** Those that hold finite numbers beyond the largest of fp16: all that are given are read. */
async function beyondHalf(tensors: readonly Tensor[], signal?: AbortSignal): Promise<ReadonlySet<Tensor>> {
  const found = new Set<Tensor>();
  let at = 0;
  for await (const most of readAhead(tensors.length, 1, run => largest(tensors[run]!, signal), signal)) {
    if (most > LARGEST_HALF) found.add(tensors[at]!);
    at++;
  }
  return found;
}

async function largest(tensor: Tensor, signal?: AbortSignal): Promise<number> {
  const columns = tensor.shape.at(-1) ?? 1;
  const rows = elementCount(tensor.shape) / columns;
  let most = 0;
  for await (const { values_RC } of rowRuns(tensor, columns, 0, rows, signal)) most = Math.max(most, largestIn(values_RC));
  return Number.isFinite(most) ? most : 0; // infinities and NaN are the same in every type
}

/** Why a graph does not compute in 16 bits, if it does not: the numbers are only stored so. */
function storedOnly(dtype: Sixteen, { linears, tables }: Anatomy, { graph }: Model): Sentence | undefined {
  if (!graph) return undefined;
  if (dtype === 'bf16')
    return sentence(
      'Runtimes have no bf16 operators for processors: numbers are stored as bf16 and widened when the model is loaded.',
    );
  if ([...linears, ...tables].some(({ form }) => form === 'quantized'))
    return sentence(
      'The graph computes with integers already: what is left is stored as fp16 and widened when the model is loaded.',
    );
  const outputs = graph.nodes.flatMap(node => node.outputs).filter(name => name !== '');
  if (new Set(outputs).size < outputs.length)
    return sentence('The graph defines some names twice: numbers are stored as fp16 and widened when the model is loaded.');
  const isKnown = graph.nodes.every(({ domain }) => domain === '' || domain === 'ai.onnx' || domain === 'com.microsoft');
  if (graph.functions.length === 0 && isKnown) return undefined;
  return sentence(
    'The graph has operators of its own, whose types are not known: numbers are stored as fp16 and widened when the model is loaded.',
  );
}

function unfitForBfloat({ graph }: Model): Sentence | undefined {
  const opset = graph?.opsets.get('') ?? LEAST_OPSET_BF16;
  if (opset >= LEAST_OPSET_BF16) return undefined;
  return sentence('The model uses opset {opset}; bf16 needs opset {least} or later. Export it again with a newer one.', {
    opset,
    least: LEAST_OPSET_BF16,
  });
}

function nothing(model: Model): Skipped {
  const has16 = [...model.tensors.values()].some(({ dtype }) => dtypes[dtype].kind === 'float' && dtypes[dtype].bits === 16);
  const reason = has16 ? sentence('It has 16 bits already.') : sentence('This model has no floating-point matrices.');
  return { target: model.name, reason };
}
