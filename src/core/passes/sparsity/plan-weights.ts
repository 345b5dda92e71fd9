import { type Anatomy, type Linear, linearsIn } from '../../anatomy/anatomy.ts';
import { taps } from '../../anatomy/taps.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { asBitmask } from '../../tensor/bitmask.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { PassContext, Plan, ReplaceEdit, Skipped } from '../pass.ts';
import { noLayers } from '../prune/plan-heads.ts';
import { notCuttable } from '../prune/prunable.ts';
import { layerByLayer } from '../refit/layer-by-layer.ts';
import { type Calibrated, sparsify } from './compress.ts';
import { keptOfEach, smallestGone } from './magnitude.ts';
import { type Pattern, type Share, zerosOf } from './share.ts';

export interface WeightOptions {
  readonly sparsity: number;
  readonly pattern: Pattern;
  readonly by: 'magnitude' | Calibrated;
  readonly scope: 'matrix' | 'global';
  readonly repair: 'none' | 'least-squares';
  readonly store: 'dense' | 'bitmap';
}

/** Tokens for each input of the widest matrix below which a refit learns the text by heart: with 64 sentences it does harm. */
const leastTokens = 2;

/** The matrices of the layers with zeros in them. */
export async function planWeights(anatomy: Anatomy, options: WeightOptions, context: PassContext): Promise<Plan> {
  const { model } = context;
  if (options.store === 'bitmap' && context.format !== 'safetensors')
    return { edits: [], skipped: [{ target: model.name, reason: onlyCheckpoints() }] };
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const { chosen, skipped } = choose(anatomy);
  const share: Share = { pattern: options.pattern, sparsity: options.sparsity };
  if (options.by === 'magnitude' || context.dryRun) {
    const weights = smallestGone(chosen, share, options.scope === 'global');
    const edits = weights.map((weight, i): ReplaceEdit => ({ kind: 'replace', target: chosen[i]!, weight }));
    const isGlobal = options.by === 'magnitude' && options.scope === 'global' && options.pattern === 'unstructured';
    const kept =
      isGlobal && options.store === 'bitmap'
        ? await keptOfEach(chosen, share, context.signal)
        : chosen.map(linear => keptIn(linear, share));
    return { edits: stored(edits, options, kept), skipped, notes: noteOn(options) };
  }
  const isShown = shownIn(anatomy, context);
  const shown = chosen.filter(isShown);
  for (const linear of chosen) if (!isShown(linear)) skipped.push({ target: linear.id, reason: fused(linear.id) });
  if (shown.length === 0) return { edits: [], skipped };
  const calibration = await calibrationOf(context, `by: ${options.by}`);
  const widest = Math.max(...shown.map(linear => linear.in));
  const isShort = calibration.tokens < leastTokens * widest;
  const short = isShort && options.repair !== 'none' ? [tooShort(calibration.tokens, widest)] : [];
  const refits = options.repair !== 'none' && !isShort;
  const compress = sparsify(options.by, share, refits);
  const edits: readonly ReplaceEdit[] = await layerByLayer({
    ...{ calibration, anatomy, compress, refits, context },
    chosen: new Set(shown),
  });
  const kept = edits.map(({ target }) => keptIn(target as Linear, share));
  return { edits: stored(edits, options, kept), skipped, notes: [...short, ...noteOn(options)] };
}

const noteOn = ({ store }: WeightOptions): Sentence[] =>
  store === 'dense'
    ? [sentence('Zeros are stored and multiplied like any other number: the file is neither smaller nor faster.')]
    : [
        sentence(
          'Headroom reads this file, and tools with compressed-tensors before 0.15. It is not faster: it is multiplied out when it is run.',
        ),
      ];

/** The same edits, with the numbers that stay and a mask where that is asked for; `kept`: how many stay of each matrix. */
function stored(edits: readonly ReplaceEdit[], { store }: WeightOptions, kept: readonly number[]): readonly ReplaceEdit[] {
  if (store === 'dense') return edits;
  return edits.map((edit, i) =>
    edit.weight && 'in' in edit.target ? { ...edit, weight: asBitmask(edit.weight, kept[i]!) } : edit,
  );
}

const keptIn = ({ out, in: wide }: Linear, share: Share): number => out * wide - zerosOf(out, wide, share);

/** Operators that hold more than a product keep to themselves what it reads or gives. A checkpoint is run as a graph that has none. */
function shownIn(anatomy: Anatomy, { model }: PassContext): (linear: Linear) => boolean {
  const { graph } = model;
  if (!graph) return () => true;
  const { linearInput, linearOutput } = taps({ ...model, graph }, anatomy);
  return ({ id }) => linearInput.has(id) && linearOutput.has(id);
}

const fused = (id: string) =>
  sentence('The graph does not show what {id} reads and gives: its operators are fused. Prune the model as it was before.', {
    id,
  });

/** Attention and feed-forward matrices of the layers, each stored one once. */
function choose({ layers }: Anatomy): { chosen: Linear[]; skipped: Skipped[] } {
  const chosen: Linear[] = [];
  const skipped: Skipped[] = [];
  for (const layer of layers) {
    if (layer.stored !== layer.index) continue;
    const beside = new Set((layer.extra ?? []).flatMap(({ linear }) => linear ?? []));
    for (const linear of linearsIn(layer)) {
      const reason = beside.has(linear) ? sentence('It stands beside the six matrices of a layer.') : notCuttable(linear);
      if (reason) skipped.push({ target: linear.id, reason });
      else chosen.push(linear);
    }
  }
  return { chosen, skipped };
}

const onlyCheckpoints = (): Sentence =>
  sentence('Numbers and a mask are a form of safetensors; an ONNX model is run with all its zeros.');

const tooShort = (tokens: number, inputs: number): Sentence =>
  sentence('Nothing was refitted: the text has {tokens} tokens, and {inputs} inputs to tell apart take {least} at least.', {
    tokens,
    inputs,
    least: leastTokens * inputs,
  });
