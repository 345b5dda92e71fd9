import type { Factors, Linear, Norm } from './anatomy.ts';
import type { FoundNorm } from './norm.ts';
import type { Product } from './product.ts';

/** A product of the graph as an organ; the further ones multiply by the same matrix, or by copies of it. */
export function linearOf(id: string, [first, ...others]: readonly [Product, ...Product[]]): Linear {
  const { weight, bias, scale, zeroPoint, sums, out, in: width, transposed, form, groups } = first;
  const factors = [first, ...others].flatMap(product => (product.factors ? [product.factors] : []));
  return {
    id,
    weight,
    ...(bias && { bias }),
    ...(scale && { scale }),
    ...(zeroPoint && { zeroPoint }),
    ...(sums && { sums }),
    out,
    in: width,
    transposed,
    form,
    ...(groups && { groups }),
    ...(factors.length > 0 && { factors: factorsOf(id, factors) }),
    nodes: [first, ...others].map(product => product.node),
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
