import type { Anatomy, Table } from '../../anatomy/anatomy.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CastEdit } from '../pass.ts';
import { asHalf } from './as-half.ts';

/** A table in fp16, and any second copy of it: they are loaded as one. What has 16 bits already stays. */
export function castsOf(table: Table, { copies }: Anatomy, model: Model): CastEdit[] {
  const same = [...copies].filter(([, first]) => first === table.weight.name).map(([name]) => model.tensors.get(name)!);
  return [table.weight, ...same].filter(is32OrMore).map(weight => ({
    kind: 'cast',
    target: { ...table, weight },
    values: asHalf(weight),
  }));
}

const is32OrMore = ({ dtype }: Tensor): boolean => dtype === 'fp32' || dtype === 'fp64';
