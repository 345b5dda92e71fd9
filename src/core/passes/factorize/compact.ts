import type { Linear } from '../../anatomy/anatomy.ts';
import { type CompactKind, compactParts } from '../../anatomy/compact.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computed, once } from '../computed.ts';
import type { CompactEdit, PassContext, Plan, Skipped } from '../pass.ts';
import { usesOfConstants } from '../uses.ts';
import { blockParts } from './block-diagonal.ts';
import type { Candidate } from './candidates.ts';
import { blockShapes, compactGrowing, compactRank, kroneckerShapes, kroneckerSides } from './compact-shape.ts';
import { promised, stored } from './factors.ts';
import { kroneckerParts, kroneckerSpectrum } from './kronecker.ts';
import { matrixOf } from './matrix.ts';
import { pauseOf } from './pause.ts';
import { type Budget, rankOfEnergy } from './ranks.ts';
import { productFor } from './top-of.ts';

export const isCompact = (method: string): method is CompactKind => method in compactParts;

/** Matrices in a compact form. `groups`: blocks on the diagonal. */
export async function planCompact(
  kind: CompactKind,
  candidates: readonly Candidate[],
  budget: Budget,
  groups: number,
  context: PassContext,
): Promise<Plan> {
  const edits: CompactEdit[] = [];
  const skipped: Skipped[] = [];
  const reads = context.model.graph && usesOfConstants({ ...context.model, graph: context.model.graph });
  for (const [done, { linear }] of candidates.entries()) {
    if (budget.energy !== null) context.progress?.(done / candidates.length, linear.id);
    const rank = await rankIn(kind, linear, budget, groups, context.signal);
    const reason = compactGrowing(kind, linear, rank, groups) ?? oldSlice(context, reads !== undefined);
    if (reason) skipped.push({ target: linear.id, reason });
    else edits.push(editOf(kind, linear, rank, groups, context));
  }
  const notes = kind === 'kronecker' && edits.length > 0 ? [cost(edits)] : [];
  return { edits, skipped, notes };
}

async function rankIn(kind: CompactKind, linear: Linear, { rank, ratio, energy }: Budget, groups: number, signal?: AbortSignal) {
  if (rank !== null) return rank;
  if (energy === null) return compactRank(kind, linear, ratio!, groups);
  return rankOfEnergy(await kroneckerSpectrum(await matrixOf(linear, signal), linear.out, linear.in, pauseOf(signal)), energy);
}

/** Slice took its ends as attributes before opset 10. */
function oldSlice({ model }: PassContext, isGraph: boolean): Sentence | undefined {
  const version = model.graph?.opsets.get('') ?? 0;
  return isGraph && version < 10
    ? sentence('The graph is written for opset {version}; this form needs 10 or later.', { version })
    : undefined;
}

function editOf(form: CompactKind, target: Linear, rank: number, groups: number, { dryRun, products }: PassContext): CompactEdit {
  const { out, in: width, weight } = target;
  const shapes = form === 'kronecker' ? kroneckerShapes(kroneckerSides(target), rank) : blockShapes(target, groups, rank);
  const names = compactParts[form];
  if (dryRun) return { kind: 'compact', target, form, parts: shapes.map((shape, i) => promised(names[i]!, weight.dtype, shape)) };
  const compute = async (signal?: AbortSignal) => {
    const [weight_OI, product, pause] = [await matrixOf(target, signal), await productFor(target, products), pauseOf(signal)];
    return form === 'kronecker'
      ? kroneckerParts(weight_OI, out, width, rank, product, pause)
      : blockParts(weight_OI, out, width, groups, rank, product, pause);
  };
  return { kind: 'compact', target, form, parts: tensorsOf(names, shapes, weight.dtype, compute) };
}

/** Tensors that are computed together when one is read, and let go when the last has been read to its end, as a writer does. */
function tensorsOf(
  names: readonly string[],
  shapes: readonly (readonly number[])[],
  dtype: Linear['weight']['dtype'],
  compute: (signal?: AbortSignal) => Promise<readonly Float32Array[]>,
): Tensor[] {
  const make = async (signal?: AbortSignal) => (await compute(signal)).map(values => stored(values, dtype));
  let made = once(make);
  const read = new Set<number>();
  return shapes.map((shape, i) => {
    const tensor: Tensor = computed(names[i]!, dtype, shape, async (start, end, signal) => {
      const bytes = (await made(signal))[i]!.subarray(start, end);
      if (end === tensor.byteLength) read.add(i);
      if (read.size === shapes.length) {
        read.clear();
        made = once(make);
      }
      return bytes;
    });
    return tensor;
  });
}

/** Fewer numbers, more to compute: each term is a product of its own. */
function cost(edits: readonly CompactEdit[]): Sentence {
  let [before, after] = [0, 0];
  for (const { target, parts } of edits) {
    const [[q1, terms, p1], [q2, , p2]] = parts.map(({ shape }) => shape) as [number, number, number][] as [
      [number, number, number],
      [number, number, number],
    ];
    before += target.out * target.in;
    after += q1 * q2 * terms * p2 + q1 * terms * p1 * p2;
  }
  return sentence('Kronecker products take fewer numbers, not less time: {factor} times the multiplications of these matrices.', {
    factor: (after / before).toFixed(1),
  });
}
