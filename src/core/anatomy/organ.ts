import type { Compact, Factors, Linear, Norm } from './anatomy.ts';
import { compactOf, compactParts, type FoundCompact } from './compact.ts';
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
  if (first.compact)
    linear.compact = compactOrgan(id, [first.compact, ...others.flatMap(product => (product.compact ? [product.compact] : []))]);
  return linear;
}

/** The parts of a compact form; further finds multiply by the same. */
function compactOrgan(id: string, found: readonly [FoundCompact, ...FoundCompact[]]): Compact {
  const { kind, weights } = found[0];
  const { parts } = compactOf(kind, weights)!;
  return {
    kind,
    parts: parts.map((part, i) => ({
      ...part,
      id: `${id}.${compactParts[kind][i]}`,
      nodes: found.map(({ nodes }) => nodes[i]!),
    })),
  };
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
