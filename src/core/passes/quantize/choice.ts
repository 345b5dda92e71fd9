import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { isChosen, matchesGlob } from '../globs.ts';
import type { Skipped } from '../pass.ts';
import { sidesOf } from './eight-bits.ts';
import type { QuantizeOptions } from './scheme.ts';

/** Finds the organ a tensor is the weight of; a copy belongs to the organ of its first. A tensor of no organ stands for itself. */
export function organFinder(anatomy: Anatomy): (tensor: Tensor) => Linear | Table {
  const organs = new Map<string, Linear | Table>();
  for (const linear of anatomy.linears) organs.set(linear.weight.name, linear);
  for (const table of anatomy.tables) organs.set(table.weight.name, table);
  return tensor => {
    const organ = organs.get(tensor.name);
    if (organ) return organ;
    const first = organs.get(anatomy.copies.get(tensor.name) ?? '');
    return first ? { ...first, weight: tensor } : unclaimed(tensor);
  };
}

function unclaimed(weight: Tensor): Linear {
  const [rows, columns] = sidesOf(weight);
  return { id: weight.name, weight, in: rows, out: columns, transposed: true, form: 'dense', nodes: [] };
}

/** Why a person's choice leaves this organ out, if it does. */
export function leftOut(id: string, { include, exclude }: QuantizeOptions): Sentence | undefined {
  if (isChosen(id, include, exclude)) return undefined;
  return sentence('Left out by “include” or “exclude”.');
}

/** A pattern that names nothing is a slip worth telling. */
export function idleGlobs(ids: readonly string[], { include, exclude }: QuantizeOptions): Skipped[] {
  return [...include, ...exclude]
    .filter(glob => !ids.some(id => matchesGlob(id, glob)))
    .map(target => ({ target, reason: sentence('No matrix or table has a name like this.') }));
}

/** DynamicQuantizeLinear, and negative axes of ReduceMax, are there from this version of the operators on. */
const LEAST_OPSET = 11;

/** Why a graph is too old for integer products, if it is. */
export function tooOld(model: Model & { readonly graph: Graph }, least = LEAST_OPSET): Skipped | undefined {
  const opset = model.graph.opsets.get('') ?? 1;
  if (opset >= least) return undefined;
  const reason = sentence('The model uses opset {opset}; int8 needs opset {least} or later. Export it again with a newer one.', {
    opset,
    least,
  });
  return { target: model.name, reason };
}

/** Below this a smaller tensor is not worth a less exact one: the larger of 1 kB and a ten-thousandth of the file. */
export const leastSaving = (model: Model): number => Math.max(1024, model.byteLength / 10_000);

/** Why an organ is too small, if it is. `saved` is net of scales and of nodes added to a graph. */
export function tooSmall(saved: number, model: Model): Sentence | undefined {
  if (saved >= leastSaving(model)) return undefined;
  return sentence('Too small to gain: 8 bits would save {saved} bytes of the file.', { saved: Math.max(0, Math.round(saved)) });
}

/** One entry for what no scheme touches. */
export function vectorsKept(model: Model, isVector: (tensor: Tensor) => boolean): Skipped[] {
  const count = [...model.tensors.values()].filter(isVector).length;
  if (count === 0) return [];
  const reason = sentence('Norms and biases stay as they are: the {count} vectors are small, and precision matters there.', {
    count,
  });
  return [{ target: '*.LayerNorm, *.bias', reason }];
}

export const alreadyQuantized = (): Sentence => sentence('It is already quantized.');

/** Of a checkpoint: convolutions, and the parts of compact forms. */
export const threeDimensional = ({ linears }: Anatomy): Skipped[] =>
  linears
    .filter(({ form }) => form === 'convolution')
    .map(({ id }) => ({ target: id, reason: sentence('It is stored with three dimensions and stays as it is.') }));

/** Organs whose weights are integers. */
export function quantizedAlready(anatomy: Anatomy): Skipped[] {
  return [...anatomy.tables, ...anatomy.linears]
    .filter(organ => organ.form === 'quantized')
    .map(organ => ({ target: organ.id, reason: alreadyQuantized() }));
}

/** The reason that is left when a model has nothing to work on. */
export function nothingFound(model: Model, skipped: readonly Skipped[], edits: number): Skipped[] {
  if (edits > 0 || skipped.length > 0) return [];
  return [{ target: model.name, reason: sentence('This model has no floating-point matrices.') }];
}
