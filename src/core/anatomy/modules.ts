import type { Tensor } from '../tensor/tensor.ts';
import type { Linear, Norm, Table } from './anatomy.ts';
import { isFloat, isNarrow } from './constant.ts';
import type { Packed } from './packed.ts';

/** The tensors of one module by their part: weight, bias, weight_scale, weight_zero_point; '' for a parameter without a module. */
export type Organ = Partial<Record<string, Tensor>>;

export type PackedOrgans = ReadonlyMap<Organ, Packed>;

/** A module with a matrix: [out, in], integers when it is quantized. A convolution of width 1 with one group or several is one too. */
export function linear(id: string, organ: Organ | undefined, packed: PackedOrgans): Linear | undefined {
  const known = organ && packed.get(organ);
  const { bias, weight, weight_scale: scale, weight_zero_point: zeroPoint } = organ ?? {};
  if (known) {
    const { packing, ...rest } = known;
    return { id, ...rest, ...(bias && { bias }), form: 'quantized', packed: packing, nodes: [] };
  }
  if (organ && Object.keys(organ).some(part => part.startsWith('weight.quant_state.'))) return undefined;
  const [out = 0, width = 0, last] = weight?.shape ?? [];
  const isConvolution = weight?.shape.length === 3 && last === 1 && isFloat(weight);
  if (!weight || !(isConvolution || weight.shape.length === 2) || !(isFloat(weight) || isNarrow(weight))) return undefined;
  const form = isConvolution ? 'convolution' : isFloat(weight) && !scale ? 'dense' : 'quantized';
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

/** A convolution that reads `width` inputs, in as many groups as its kernel leaves. */
export function grouped(matrix: Linear, width: number): Linear {
  const groups = width / matrix.in;
  return matrix.form === 'convolution' && groups > 1 && Number.isInteger(groups) ? { ...matrix, in: width, groups } : matrix;
}

export function table(id: string, organ: Organ | undefined, packed: PackedOrgans): Table | undefined {
  const matrix = linear(id, organ, packed);
  if (!matrix || matrix.form === 'convolution') return undefined;
  const { weight, scale, zeroPoint, out, in: width, packed: packing } = matrix;
  const form = matrix.form === 'quantized' ? 'quantized' : 'dense';
  return {
    id,
    weight,
    ...(scale && { scale }),
    ...(zeroPoint && { zeroPoint }),
    rows: out,
    width,
    form,
    ...(packing && { packed: packing }),
    nodes: [],
  };
}

export function norm(id: string, organ: Organ = {}): Norm {
  const { weight, bias } = organ;
  return { id, ...(weight && { weight }), ...(bias && { bias }) };
}
