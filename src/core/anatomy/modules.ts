import type { Tensor } from '../tensor/tensor.ts';
import type { Linear, Norm, Table } from './anatomy.ts';
import { type CompactKind, compactOf, compactParts } from './compact.ts';
import { isFloat, isNarrow } from './constant.ts';
import { mayBePacked, type Packed } from './packed.ts';

/** The tensors of one module by their part: weight, bias, weight_scale, weight_zero_point; '' for a parameter without a module. */
export type Organ = Partial<Record<string, Tensor>>;

export type PackedOrgans = ReadonlyMap<Organ, Packed>;

/** A module with a matrix: [out, in], integers when it is quantized, or one with groups. undefined when it has none. */
export function linear(id: string, organ: Organ | undefined, packed: PackedOrgans): Linear | undefined {
  if (!organ) return undefined;
  const { bias, weight, weight_scale: scale, weight_zero_point: zeroPoint } = organ;
  const known = packed.get(organ);
  if (known) {
    const { packing, ...matrix } = known;
    return { id, ...matrix, ...(bias && { bias }), nodes: [], form: 'quantized', packed: packing };
  }
  if (!weight || !(isFloat(weight) || isNarrow(weight)) || isPacked(organ)) return undefined;
  if (weight.shape.length === 3) return withGroups(id, weight, bias);
  if (weight.shape.length !== 2) return undefined;
  const [out, width] = weight.shape as [number, number];
  const form = isFloat(weight) && !scale ? 'dense' : 'quantized';
  const matrix = { id, weight, ...(bias && { bias }), out, in: width, transposed: false, form, nodes: [] } as const;
  return scale || zeroPoint ? { ...matrix, ...(scale && { scale }), ...(zeroPoint && { zeroPoint }) } : matrix;
}

/** The path of a matrix, of that of one of its factors or parts. */
export const withoutFactor = (path: string): string => path.replace(/\.(first|second|left|right|blocks)$/, '');

/** A matrix in a compact form: `organ` gives a module by its path. */
export function compact(id: string, organ: (id: string) => Organ | undefined): Linear | undefined {
  for (const [kind, names] of Object.entries(compactParts) as [CompactKind, readonly string[]][]) {
    const weights = names.flatMap(name => organ(`${id}.${name}`)?.weight ?? []);
    const found = weights.length === names.length && weights.every(isFloat) ? compactOf(kind, weights) : undefined;
    if (!found) continue;
    const bias = organ(id)?.bias;
    return {
      id,
      weight: weights[0]!,
      ...(bias && { bias }),
      out: found.out,
      in: found.in,
      transposed: true,
      form: 'factored',
      compact: { kind, parts: found.parts.map((part, i) => ({ ...part, id: `${id}.${names[i]}`, nodes: [] })) },
      nodes: [],
    };
  }
  return undefined;
}

/** A matrix in two modules: `find` looks for one by its path. */
export function factored(id: string, find: (id: string) => Linear | undefined): Linear | undefined {
  const [first, second] = [find(`${id}.first`), find(`${id}.second`)];
  if (!first || !second || first.out !== second.in) return undefined;
  return { ...second, id, in: first.in, form: 'factored', factors: { first, second } };
}

/** Packed in a way that packed.ts could not read. */
const isPacked = (organ: Organ): boolean =>
  mayBePacked(organ) && Object.keys(organ).some(part => part.startsWith('weight.quant_state.'));

/** A convolution of width 1, [out, in / groups, 1] (SqueezeBERT), or groups one behind the other, [groups, in / groups, out / groups] (ConvBERT). */
function withGroups(id: string, weight: Tensor, bias: Tensor | undefined): Linear | undefined {
  const [first, width, last] = weight.shape as [number, number, number];
  const rest = { id, weight, ...(bias && { bias }), form: 'convolution', nodes: [] } as const;
  if (last === 1) return { ...rest, out: first, in: width, transposed: false };
  if (first === 0 || bias?.shape.length !== 1 || bias.shape[0] !== first * last) return undefined;
  return { ...rest, out: first * last, in: first * width, groups: first, transposed: true };
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
