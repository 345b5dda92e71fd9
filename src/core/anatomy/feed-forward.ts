import { type Anchor, type Flow, pathTo } from './flow.ts';
import { skips } from './fused.ts';

/** What stands behind attention in a layer: up, activation, down, and the sum with what it read. */
export interface FeedForward {
  readonly up: Anchor;
  /** The matrix whose output opens or shuts that of `up`. The same anchor where both are halves of one, in the order `halves`. */
  readonly gate?: Anchor;
  readonly halves?: 'up_gate' | 'gate_up';
  readonly down: Anchor;
  readonly fed: Anchor;
  /** What is added to `down`, where that is a product of what `up` reads and not the same again. */
  readonly skip?: Anchor;
}

export function feedForward(flow: Flow, attended: Anchor): FeedForward | undefined {
  for (const up of readers(attended)) {
    if (up.kind !== 'product') continue;
    for (const next of readers(up)) {
      const gate = next.kind === 'join' ? otherFactor(next, up, attended) : undefined;
      for (const down of gate ? readers(next) : [next]) {
        if (down.kind !== 'product') continue;
        const end = endOf(down, attended, up);
        if (!end) continue;
        if (gate) return { ...gated(flow, next, up, gate), down, ...end };
        const isHalf = up.product!.out === 2 * down.product!.in;
        return { up, ...(isHalf && { gate: up, halves: 'up_gate' as const }), down, ...end };
      }
    }
  }
  return undefined;
}

/** The sum of `down` and `attended`, or a product of that (a hidden state of fewer numbers is turned from half to half). */
function endOf(down: Anchor, attended: Anchor, up: Anchor): Pick<FeedForward, 'fed' | 'skip'> | undefined {
  const sums = readers(down);
  const fed = sums.find(anchor => isSumOf(anchor, down, attended));
  if (fed) return { fed };
  for (const sum of sums) {
    const skip = sum.from.find(anchor => anchor !== down && anchor !== up && anchor.from[0] === attended);
    if (skip?.kind === 'product' && skip.product!.in === skip.product!.out && isSumOf(sum, down, skip)) return { fed: sum, skip };
  }
  return undefined;
}

/** In a product of two of them, the other matrix that reads the same. */
function otherFactor(join: Anchor, up: Anchor, attended: Anchor): Anchor | undefined {
  if (join.node!.opType !== 'Mul' && join.node!.opType !== 'QLinearMul') return undefined;
  return join.from.find(anchor => anchor !== up && anchor.kind === 'product' && anchor.from[0] === attended);
}

/** The gate is the one with the activation: down(act(gate x) * up x). */
function gated(flow: Flow, join: Anchor, a: Anchor, b: Anchor): { up: Anchor; gate: Anchor } {
  const acts = (anchor: Anchor) =>
    pathTo(flow, join.reads[join.from.indexOf(anchor)]!).some(node => activations.has(node.opType));
  return acts(a) && !acts(b) ? { up: b, gate: a } : { up: a, gate: b };
}

const activations = new Set(
  'Relu Gelu FastGelu QuickGelu Erf Sigmoid QLinearSigmoid Tanh Swish HardSigmoid HardSwish Elu Mish'.split(' '),
);

const sums = new Set(['Add', 'QLinearAdd', 'Sum']);

export const isSumOf = (anchor: Anchor, a: Anchor, b: Anchor): boolean =>
  anchor.kind === 'join' &&
  (sums.has(anchor.node!.opType) || skips.has(anchor.node!.opType)) &&
  anchor.from.includes(a) &&
  anchor.from.includes(b);

/** The data of a layer is read by some dozen others. Only so many are looked at, so that no search is quadratic. */
const mostReaders = 256;

export const readers = (anchor: Anchor): Anchor[] => anchor.uses.slice(0, mostReaders).flatMap(use => use.by ?? []);
