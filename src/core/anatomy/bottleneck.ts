import type { ExtraOrgan } from './anatomy.ts';
import { isSumOf, readers } from './feed-forward.ts';
import type { Anchor, Flow } from './flow.ts';
import { layerIds } from './ids.ts';
import { type FoundNorm, normBehind } from './norm.ts';
import { linearOf, normOf } from './organ.ts';
import type { Setting } from './setting.ts';

/** A product and the norm behind it. */
interface Narrowing {
  readonly product: Anchor;
  readonly norm: FoundNorm | undefined;
}

/** Products into a narrower space in which a layer works, and one back out of it. source: Sun et al., MobileBERT, ACL 2020. */
export interface Bottleneck {
  /** The data that the layer reads, before it is narrowed. */
  readonly source: Anchor;
  readonly input: Narrowing;
  /** What query and key read, where it is another one. */
  readonly shared?: Narrowing;
  readonly output: Narrowing;
  /** The sum of what comes out and what the layer reads. */
  readonly fed: Anchor;
}

/** The bottleneck around a layer of which `fed` is the last sum. */
export function bottleneckAround(
  flow: Flow,
  { residual, shared }: Pick<Setting, 'residual' | 'shared'>,
  fed: Anchor,
): Bottleneck | undefined {
  const source = residual.kind === 'product' ? residual.from[0] : undefined;
  for (const output of source ? readers(fed) : []) {
    if (output.kind !== 'product') continue;
    const outer = readers(output).find(anchor => isSumOf(anchor, output, source!));
    if (!outer) continue;
    return {
      source: source!,
      input: { product: residual, norm: normBehind(flow, residual) },
      ...(shared && { shared: { product: shared, norm: normBehind(flow, shared) } }),
      output: { product: output, norm: normBehind(flow, outer) },
      fed: outer,
    };
  }
  return undefined;
}

/** Its rows in a layer, by the names of transformers. */
export function bottleneckOrgans({ input, shared, output }: Bottleneck, index: number): ExtraOrgan[] {
  const { layer } = layerIds(index);
  const both = (id: string, { product, norm }: Narrowing): ExtraOrgan[] => [
    { id: `${layer}.${id}.dense`, part: 'layer', linear: linearOf(`${layer}.${id}.dense`, [product.product!]) },
    ...(norm ? [{ id: `${layer}.${id}.LayerNorm`, part: 'layer' as const, norm: normOf(`${layer}.${id}.LayerNorm`, norm) }] : []),
  ];
  return [
    ...both('bottleneck.input', input),
    ...(shared ? both('bottleneck.attention', shared) : []),
    ...both('output.bottleneck', output).map(organ => ({ ...organ, part: 'feed-forward' as const })),
  ];
}
