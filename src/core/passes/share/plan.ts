import { type Anatomy, type Layer, type Linear, matricesIn } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { floatsOf } from '../../kernels/floats.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { biasAsItIs, normAsItIs } from '../as-it-is.ts';
import { computed } from '../computed.ts';
import { promised, stored } from '../factorize/factors.ts';
import type { Edit, FactorEdit, PassContext, Plan, ShareEdit } from '../pass.ts';
import { isAlbert } from './as-albert.ts';
import { basisFactors, basisRank } from './basis.ts';
import { basisOnText } from './basis-on-text.ts';
import { groupsOf, sharable } from './groups.ts';
import { matrixParts, otherParts, type Part } from './parts.ts';
import { refittedNorms } from './refit.ts';

export interface ShareOptions {
  readonly groups: readonly (readonly number[])[];
  readonly size: number | null;
  readonly method: string;
  readonly ratio: number;
}

export async function planShare(anatomy: Anatomy, options: ShareOptions, context: PassContext): Promise<Plan> {
  const { model } = context;
  if (anatomy.layers.length === 0)
    return { edits: [], skipped: [{ target: model.name, reason: anatomy.notBert ?? sentence('No BERT layers were found.') }] };
  const { groups, skipped } = sharable(anatomy, groupsOf(anatomy, options.groups, options.size, model.name));
  if (groups.length === 0) return { edits: [], skipped };
  if (options.method === 'basis') {
    const reason = sentence('A checkpoint cannot say that two matrices share a factor. As ONNX they can.');
    if (!model.graph) return { edits: [], skipped: [...skipped, { target: model.name, reason }] };
    if (context.dryRun || !context.calibration) {
      const edits = groups.flatMap(group => basisEdits(group, options.ratio, context));
      return { edits: context.calibration ? [...edits, ...normsAsTheyAre(groups)] : edits, skipped };
    }
    return { edits: await basisOnText(await context.calibration(), groups, options.ratio, context), skipped };
  }
  const edit = meanEdit(groups, model.graph !== undefined, context);
  const norms = model.graph && context.calibration ? await normsFor(groups, edit, context) : [];
  const note = model.graph ? undefined : noteOf(isAlbert(model, anatomy, [edit]));
  return { edits: [...norms, edit], skipped: note ? [...skipped, { target: 'config.json', reason: note }] : skipped };
}

const normsFor = async (groups: readonly (readonly Layer[])[], edit: ShareEdit, context: PassContext): Promise<Edit[]> =>
  context.dryRun ? normsAsTheyAre(groups) : refittedNorms(groups, edit, context);

/** What text would refit, for the sizes. */
const normsAsTheyAre = (groups: readonly (readonly Layer[])[]): Edit[] =>
  groups.flat().flatMap(({ attentionNorm, outputNorm }) => [attentionNorm, outputNorm].flatMap(normAsItIs));

const noteOf = (isStock: boolean): Sentence =>
  isStock
    ? sentence('The model becomes an ALBERT with as many groups, which transformers loads: it does the same.')
    : sentence('No class of transformers holds these groups. Headroom opens the model, and exports it to ONNX.');

/** In a graph each layer keeps its own norms: they are small, and matter. */
function meanEdit(groups: readonly (readonly Layer[])[], isGraph: boolean, { dryRun }: PassContext): ShareEdit {
  const tensors = new Map<string, Tensor>();
  for (const [first, ...others] of groups) {
    const all = (layer: Layer): Part[] => (isGraph ? matrixParts(layer) : [...matrixParts(layer), ...otherParts(layer)]);
    const beside = others.map(layer => new Map(all(layer)));
    for (const [path, tensor] of all(first!)) {
      const same = [tensor, ...beside.flatMap(parts => parts.get(path) ?? [])];
      tensors.set(`encoder.layer.${first!.index}.${path}`, dryRun ? promised(path, tensor.dtype, tensor.shape) : meanOf(same));
    }
  }
  return { kind: 'share', groups: groups.map(group => group.map(({ index }) => index)), tensors };
}

/** The mean of tensors of one shape, computed when it is read. */
export function meanOf(tensors: readonly [Tensor, ...Tensor[]] | readonly Tensor[]): Tensor {
  const { name, dtype, shape, byteLength } = tensors[0]!;
  const each = byteLength / Math.max(1, elementCount(shape));
  return computed(name, dtype, shape, async (start, end, signal) => {
    const [first, last] = [Math.floor(start / each), Math.ceil(end / each)];
    const sum = new Float64Array(last - first);
    for (const tensor of tensors) {
      const values = await floatsOf(tensor, first, last, signal);
      for (let i = 0; i < sum.length; i++) sum[i]! += values[i]! / tensors.length;
    }
    return stored(Float32Array.from(sum), dtype).subarray(start - first * each, end - first * each);
  });
}

function basisEdits(group: readonly Layer[], ratio: number, { dryRun, calibration }: PassContext): Edit[] {
  const [first] = group;
  return matricesIn(first!).flatMap((_, place) => {
    const linears = group.map(layer => matricesIn(layer)[place]!) as [Linear, ...Linear[]];
    const { out, in: width, weight } = linears[0];
    const rank = basisRank(linears, ratio);
    if (rank === undefined) return [];
    if (!dryRun) return basisFactors(linears, rank);
    const isRefitted = calibration !== undefined;
    const shared = promised('first', weight.dtype, [rank, width]);
    return linears.map(
      (target): FactorEdit => ({
        kind: 'factor',
        target,
        first: shared,
        second: promised('second', weight.dtype, [out, rank]),
        ...(isRefitted && biasAsItIs(target)),
      }),
    );
  });
}
