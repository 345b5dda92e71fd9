import type { Factors, Linear, Norm } from './anatomy.ts';
import type { FoundNorm } from './norm.ts';
import type { Product } from './product.ts';

/** A product of the graph as an organ; the further ones multiply by the same matrix, or by copies of it. */
export function linearOf(id: string, [first, ...others]: readonly [Product, ...Product[]]): Linear {
  const { weight, bias, scale, zeroPoint, sums, smoothing, out, in: width, transposed, form, groups, packed } = first;
  const nodes = others.length === 0 ? [first.node] : [first, ...others].map(product => product.node);
  const linear: { -readonly [K in keyof Linear]: Linear[K] } = { id, weight, out, in: width, transposed, form, nodes };
  if (bias) linear.bias = bias;
  if (scale) linear.scale = scale;
  if (zeroPoint) linear.zeroPoint = zeroPoint;
  if (sums) linear.sums = sums;
  if (smoothing) linear.smoothing = smoothing;
  if (groups) linear.groups = groups;
  if (packed) linear.packed = packed;
  if (first.factors)
    linear.factors = factorsOf(id, [first.factors, ...others.flatMap(product => (product.factors ? [product.factors] : []))]);
  return linear;
}

const factorsOf = (id: string, factors: readonly (readonly [Product, Product])[]): Factors => ({
  first: linearOf(`${id}.first`, factors.map(([first]) => first) as [Product, ...Product[]]),
  second: linearOf(`${id}.second`, factors.map(([, second]) => second) as [Product, ...Product[]]),
});

export const normOf = (id: string, found: FoundNorm | undefined): Norm => ({
  id,
  ...(found?.weight && { weight: found.weight }),
  ...(found?.bias && { bias: found.bias }),
});
