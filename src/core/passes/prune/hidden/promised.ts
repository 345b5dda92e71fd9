import type { Anatomy } from '../../../anatomy/anatomy.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { promised } from '../../factorize/factors.ts';
import type { RemoveHiddenEdit } from '../../pass.ts';
import { isTied } from './narrowable.ts';
import type { StreamHalf } from './stream.ts';

/** An edit of the right sizes without numbers: what a dry run says. */
export function promisedEdit(anatomy: Anatomy, halves: readonly StreamHalf[], size: number): RemoveHiddenEdit {
  const { layers, tables, hidden } = anatomy;
  const tensors = new Map<string, Tensor>();
  const put = ({ name, dtype }: Tensor, shape: readonly number[]) => tensors.set(name, promised(name, dtype, shape));
  for (const { weight } of tables) put(weight, [...weight.shape.slice(0, -1), size]);
  for (const { entering, readers, writer } of halves) {
    for (const { linears, bias } of readers) {
      put(bias, bias.shape);
      for (const { weight, transposed, out } of linears) put(weight, transposed ? [size, out] : [out, size]);
    }
    put(writer.weight, writer.transposed ? [writer.in, size] : [size, writer.in]);
    for (const vector of [writer.bias, entering.weight, entering.bias]) put(vector!, [size]);
  }
  const { outputNorm, down } = layers.at(-1)!;
  for (const vector of [outputNorm.weight, outputNorm.bias]) put(vector!, [size]);
  const { dtype } = down.weight;
  return {
    kind: 'remove-hidden',
    hidden: size,
    tensors,
    skips: halves.map(({ writer }) => promised('skip', writer.weight.dtype, [size, size])),
    widening: { weight: promised('weight', dtype, [hidden, size]), bias: promised('bias', dtype, [hidden]) },
    ...(isTied(anatomy) && { decoder: promised('decoder', tables[0]!.weight.dtype, [size, hidden]) }),
  };
}
