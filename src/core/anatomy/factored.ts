import { type Anchor, type Flow, pathTo } from './flow.ts';
import type { Product } from './product.ts';
import { consumersOf } from './wiring.ts';

/** What may stand between two factors: what quantizers put around a product, and what changes how numbers lie. None of it bends. */
const straight = new Set(
  'Identity Cast Mul Sub Div Add Reshape Squeeze Unsqueeze Dropout QuantizeLinear DequantizeLinear DynamicQuantizeLinear'.split(
    ' ',
  ),
);

/**
 * Two products one behind the other, with no bias and nothing that bends between them, are one matrix: the second becomes the whole,
 * and the first is taken out of the flow. The anchors of `flow` are changed.
 */
export function withFactors(flow: Flow): Flow {
  const inner = new Set<Anchor>();
  for (const anchor of flow.anchors) {
    const first = firstFactor(flow, anchor);
    if (!first) continue;
    inner.add(first);
    const source = first.from[0]!;
    source.uses.splice(0, source.uses.length, ...source.uses.map(use => (use.by === first ? { ...use, by: anchor } : use)));
    const product = whole(first.product!, anchor.product!);
    Object.assign(anchor, { from: first.from, reads: first.reads, product });
  }
  return inner.size === 0 ? flow : { ...flow, anchors: flow.anchors.filter(anchor => !inner.has(anchor)) };
}

const whole = (first: Product, second: Product): Product => ({
  ...second,
  input: first.input,
  in: first.in,
  form: 'factored',
  factors: [first, second],
});

function firstFactor(flow: Flow, { product, from, reads }: Anchor): Anchor | undefined {
  const [first] = from;
  if (!product || !isMatrix(product) || !first?.product || !isMatrix(first.product)) return undefined;
  if (first.product.bias || first.product.out !== product.in || first.uses.length !== 1 || first.from.length !== 1)
    return undefined;
  // Two square matrices are no factors of one: nothing would be gained.
  if (first.product.out >= Math.max(first.product.in, product.out)) return undefined;
  const between = pathTo(flow, reads[0]!);
  if (!between.every(({ opType }) => straight.has(opType))) return undefined;
  const isRead = between.length > 0 || consumersOf(flow.wiring, first.node!.outputs[0]!).length === 1;
  return isRead ? first : undefined;
}

const isMatrix = ({ form }: Product): boolean => form === 'dense' || form === 'quantized';
