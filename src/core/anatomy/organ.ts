import type { Linear, Norm } from './anatomy.ts';
import type { FoundNorm } from './norm.ts';
import type { Product } from './product.ts';

/** A product of the graph as an organ; the further ones multiply by the same matrix, or by copies of it. */
export function linearOf(id: string, [first, ...others]: readonly [Product, ...Product[]]): Linear {
  const { weight, bias, scale, zeroPoint, sums, smoothing, out, in: width, transposed, form, groups } = first;
  return {
    id,
    weight,
    ...(bias && { bias }),
    ...(scale && { scale }),
    ...(zeroPoint && { zeroPoint }),
    ...(sums && { sums }),
    ...(smoothing && { smoothing }),
    out,
    in: width,
    transposed,
    form,
    ...(groups && { groups }),
    nodes: [first, ...others].map(product => product.node),
  };
}

export const normOf = (id: string, found: FoundNorm | undefined): Norm => ({
  id,
  ...(found?.weight && { weight: found.weight }),
  ...(found?.bias && { bias: found.bias }),
});
