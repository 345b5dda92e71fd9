import type { Tensor } from '../tensor/tensor.ts';
import type { ExtraOrgan } from './anatomy.ts';
import { constantOf, mayBeWeight } from './constant.ts';
import type { Core } from './core.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { layerIds } from './ids.ts';
import { linearOf } from './organ.ts';
import { convolutions } from './product.ts';
import type { Setting } from './setting.ts';

/** What stands beside the heads of attention: matrices, and kernels of convolutions wider than one. */
export interface Beside {
  /** In topological order. */
  readonly products: readonly Anchor[];
  /** The kernel on the way to a product, and its bias. */
  readonly kernels: ReadonlyMap<Anchor, Kernel>;
  /** The attention that the whole is of has a softmax of its own: the product whose numbers it takes. */
  readonly weighing: ReadonlySet<Anchor>;
}

export interface Kernel {
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

/** Whatever is between a layer's source and its output projection, and is not its attention. */
export function besideAttention(flow: Flow, { source, mixed }: Setting, { query, key, value, context }: Core): Beside {
  const seen = new Set<Anchor>([source, query, key, value, context]);
  const waiting = mixed!.from.filter(anchor => !seen.has(anchor));
  const found = new Set<Anchor>();
  for (let next = waiting.pop(); next && seen.size < mostAnchors; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.kind === 'product') found.add(next);
    waiting.push(...next.from);
  }
  const products = flow.anchors.filter(anchor => found.has(anchor));
  const kernels = new Map(
    products.flatMap(anchor => {
      const kernel = kernelTo(flow, anchor.reads[0]);
      return kernel ? [[anchor, kernel] as const] : [];
    }),
  );
  return { products, kernels, weighing: new Set(products.filter(anchor => anchor.from[0] !== source)) };
}

/** Of a layer; ConvBERT has three products. */
const mostAnchors = 64;

/** Which input is the bias; ConvInteger has none. */
const biasOf: ReadonlyMap<string, number> = new Map([
  ['Conv', 2],
  ['QLinearConv', 8],
]);

/** The convolution on the way to a value. */
export function kernelTo(flow: Flow, value: string | undefined): Kernel | undefined {
  for (const node of value === undefined ? [] : pathTo(flow, value)) {
    const at = convolutions.get(node.opType);
    if (at === undefined) continue;
    const [weight, bias] = [at, biasOf.get(node.opType)].map(
      each => constantOf(flow.wiring, node.inputs[each ?? -1] ?? '')?.tensor,
    );
    if (weight && mayBeWeight(weight)) return { weight, ...(bias && { bias }) };
  }
  return undefined;
}

/** Its rows in a layer, by the names of transformers where they are ConvBERT's. source: Jiang et al., ConvBERT, NeurIPS 2020. */
export function besideOrgans({ products, kernels, weighing }: Beside, index: number): ExtraOrgan[] {
  const at = `${layerIds(index).layer}.attention.self`;
  const used = new Map<string, number>();
  const organ = (anchor: Anchor): ExtraOrgan[] => {
    const kernel = kernels.get(anchor);
    const wanted = kernel ? 'key_conv_attn_layer' : weighing.has(anchor) ? 'conv_kernel_layer' : 'conv_out_layer';
    const count = (used.get(wanted) ?? 0) + 1;
    used.set(wanted, count);
    const id = `${at}.${wanted}${count > 1 ? `.${count}` : ''}`;
    const { bias, ...product } = anchor.product!;
    if (!kernel) return [{ id, part: 'attention', linear: linearOf(id, [anchor.product!]) }];
    return [
      { id: `${id}.depthwise`, part: 'attention', tensors: partsOf(kernel) },
      { id: `${id}.pointwise`, part: 'attention', linear: linearOf(`${id}.pointwise`, [product]) },
      ...(bias ? [{ id, part: 'attention' as const, tensors: [['bias', bias] as const] }] : []),
    ];
  };
  return products.flatMap(organ);
}

export const partsOf = ({ weight, bias }: Kernel): (readonly [string, Tensor])[] => [
  ['weight', weight],
  ...(bias ? [['bias', bias] as const] : []),
];
