import { type Layer, matricesIn } from '../../anatomy/anatomy.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** A tensor of a layer by its path below it: "attention.self.query.weight". */
export type Part = readonly [path: string, tensor: Tensor];

/** Weights and biases of the matrices. */
export const matrixParts = (layer: Layer): Part[] =>
  matricesIn(layer).flatMap(({ id, weight, bias }) => parts(layer, id, { weight, ...(bias && { bias }) }));

/** What stands beside the matrices: norms, vectors, tables. */
export function otherParts(layer: Layer): Part[] {
  const norms = [layer.attentionNorm, layer.outputNorm, ...(layer.extra ?? []).flatMap(({ norm }) => norm ?? [])];
  return [
    ...norms.flatMap(({ id, weight, bias }) => parts(layer, id, { ...(weight && { weight }), ...(bias && { bias }) })),
    ...(layer.extra ?? []).flatMap(({ id, tensors = [], table }) => [
      ...parts(layer, id, Object.fromEntries(tensors)),
      ...(table ? parts(layer, id, { weight: table.weight }) : []),
    ]),
  ];
}

const parts = ({ index }: Layer, id: string, tensors: Readonly<Record<string, Tensor>>): Part[] =>
  Object.entries(tensors).map(([part, tensor]) => [
    [id.replace(`encoder.layer.${index}.`, ''), part].filter(it => it !== '').join('.'),
    tensor,
  ]);
