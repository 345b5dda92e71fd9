import type { Linear, Norm } from '../anatomy/anatomy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { named } from './computed.ts';
import type { ReplaceEdit } from './pass.ts';

// A tensor that is replaced is written anew, and may take a byte more or less than it took in the file. A dry run replaces by themselves
// what text would refit, so that the size it tells is exact.

/** Has it a gain and an offset by channel? */
export const isAffine = ({ weight, bias }: Norm): boolean => weight !== undefined && weight.shape.join() === bias?.shape.join();

/** A norm with both, by itself. */
export const normAsItIs = (target: Norm): ReplaceEdit[] =>
  isAffine(target) ? [{ kind: 'replace', target, weight: copyOf(target.weight!), bias: copyOf(target.bias!) }] : [];

/** The bias of a linear that has one, by itself. */
export const biasAsItIs = ({ bias }: Linear): { readonly bias?: Tensor } => (bias ? { bias: copyOf(bias) } : {});

const copyOf = (tensor: Tensor): Tensor => named(tensor, tensor.name);
