import type { Tensor } from '../tensor/tensor.ts';
import type { Linear, Norm, Table } from './anatomy.ts';
import { isFloat, isNarrow } from './constant.ts';

/** The tensors of one module by their part: weight, bias, weight_scale, weight_zero_point. */
export type Organ = Partial<Record<string, Tensor>>;

/** A module with a matrix: [out, in], integers when it is quantized. */
export function linear(id: string, organ: Organ | undefined): Linear | undefined {
  const weight = organ?.weight;
  if (weight?.shape.length !== 2 || !(isFloat(weight) || isNarrow(weight))) return undefined;
  const [out, width] = weight.shape as [number, number];
  const { bias, weight_scale: scale, weight_zero_point: zeroPoint } = organ!;
  const form = isFloat(weight) && !scale ? 'dense' : 'quantized';
  return {
    id,
    weight,
    ...(bias && { bias }),
    ...(scale && { scale }),
    ...(zeroPoint && { zeroPoint }),
    out,
    in: width,
    transposed: false,
    form,
    nodes: [],
  };
}

export function table(id: string, organ: Organ | undefined): Table | undefined {
  const matrix = linear(id, organ);
  if (!matrix) return undefined;
  const { weight, scale, zeroPoint, out, in: width } = matrix;
  const form = matrix.form === 'quantized' ? 'quantized' : 'dense';
  return { id, weight, ...(scale && { scale }), ...(zeroPoint && { zeroPoint }), rows: out, width, form, nodes: [] };
}

export function norm(id: string, organ: Organ = {}): Norm {
  const { weight, bias } = organ;
  return { id, ...(weight && { weight }), ...(bias && { bias }) };
}
