import type { Anatomy, Layer } from '../../anatomy/anatomy.ts';
import type { Calibration } from '../../calibration/calibration.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { Edit, PassContext, Skipped } from '../pass.ts';
import { eachSite, orderAt, type TextScore } from './by-text.ts';
import { leaveOneOut } from './choose/agreement.ts';
import { gradientsOf } from './choose/gradients-of.ts';
import { influences } from './choose/influence.ts';
import { headMagnitudes, neuronMagnitudes } from './choose/magnitude.ts';
import { byPosition } from './choose/position.ts';
import { dampingFor, type TextOptions } from './damping.ts';
import { fitAt } from './fit-at.ts';
import { headLayers, neuronLayers } from './prunable.ts';
import { headSite, neuronSite, type Site } from './sites.ts';

/** The choices of `by` of each pass that give a number for each unit. All but magnitude and position need text. */
export const scoresOf = {
  'prune-heads': ['magnitude', 'activation', 'gradient', 'reconstruction'],
  'prune-neurons': ['magnitude', 'activation', 'gradient', 'reconstruction'],
  'prune-layers': ['position', 'influence', 'agreement'],
} as const;
export type ScoredPass = keyof typeof scoresOf;
export type UnitScore = (typeof scoresOf)[ScoredPass][number];

export interface Scores {
  readonly by: UnitScore;
  /** One number a unit, in the model's order: larger is needed more. Of 'prune-layers' each layer has one. */
  readonly layers: readonly { readonly layer: number; readonly scores: readonly number[] }[];
  /** What the numbers say. */
  readonly meaning: Sentence;
  /** Layers that cannot lose any of these units, and why; they have no scores. */
  readonly skipped: readonly Skipped[];
}

/**
 * What each unit is worth, as the choosing of the pass computes it, without an edit planned. `damping` and `sentences` are those of the
 * pass: null for the usual ones.
 *
 *     await pruneScores(anatomy, { pass: 'prune-heads', by: 'reconstruction' }, { model, format: model.format, calibration, progress, signal })
 *
 * 'reconstruction': the error that a unit adds when it goes after all with lower scores of its layer, as a share of what the norm behind
 * reads; the sum of the lowest is the error of removing these, and adds up over the layers. 'activation': the same unit by unit, with
 * nothing refitted. 'gradient' and 'magnitude' say which goes before which, within a layer and beside other layers. Of a layer,
 * 'influence' and 'agreement' are what is lost of the cosine when it goes alone.
 * throws 'usage' where `by` needs text and the context has no calibration; 'unsupported' from the model's graph
 */
export async function pruneScores(
  anatomy: Anatomy,
  {
    pass,
    by,
    labels = '',
    ...given
  }: {
    readonly pass: ScoredPass;
    readonly by: UnitScore;
    readonly labels?: string;
  } & Partial<TextOptions>,
  context: PassContext,
): Promise<Scores> {
  const options = { sentences: given.sentences ?? null, damping: given.damping ?? null };
  const meaning = meanings[by];
  if (pass === 'prune-layers') {
    const scores = await ofLayers(anatomy.layers.length, by, options, context);
    return { by, layers: scores.map((score, layer) => ({ layer, scores: [score] })), meaning, skipped: [] };
  }
  const isOfHeads = pass === 'prune-heads';
  const { layers, skipped } = isOfHeads ? headLayers(anatomy) : neuronLayers(anatomy);
  if (by === 'magnitude') {
    const magnitudes = isOfHeads ? headMagnitudes : neuronMagnitudes;
    const found: Scores['layers'][number][] = [];
    for (const layer of layers) found.push({ layer: layer.index, scores: await magnitudes(layer, context.signal) });
    return { by, layers: found, meaning, skipped };
  }
  const sites = layers.map((layer: Layer) => (isOfHeads ? headSite(layer) : neuronSite(layer)));
  const scores =
    by === 'gradient'
      ? await gradientsOf(sites, { labels, sentences: options.sentences }, context)
      : await ofSites(await calibrationOf(context, `by: ${by}`), sites, by as TextScore, options, context);
  return { by, layers: [...scores].map(([layer, each]) => ({ layer, scores: each })), meaning, skipped };
}

/** What each unit adds to the error as it goes, the lowest first; more is never said to be less than what went before. */
async function ofSites(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  by: TextScore,
  options: TextOptions,
  context: PassContext,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const found = new Map<number, readonly number[]>();
  const { damping } = dampingFor(options, usualDamping, Math.max(...sites.map(({ linear }) => linear.in)), calibration);
  await eachSite(calibration, sites, options.sentences ?? undefined, context, async (walk, site) => {
    const fit = await fitAt(calibration, walk, site, false, context.signal);
    const { units, costs } = await orderAt(fit, site, by, site.units, damping, context.signal);
    const scores = new Array<number>(site.units).fill(0);
    let most = 0;
    for (const [place, unit] of units.entries()) {
      most = Math.max(most, (costs[place]! - (costs[place - 1] ?? 0)) / fit.scale);
      scores[unit] = most;
    }
    found.set(site.layer, scores);
    return [];
  });
  return found;
}

/** Of the refit that the passes do. */
const usualDamping = 0.1;

async function ofLayers(layers: number, by: UnitScore, { sentences }: TextOptions, context: PassContext): Promise<number[]> {
  const texts = sentences ?? undefined;
  if (by === 'influence') return influences(await calibrationOf(context, `by: ${by}`), texts, context, layers);
  if (by === 'agreement') return leaveOneOut(await calibrationOf(context, `by: ${by}`), layers, texts, context);
  const all = Array.from({ length: layers }, (_, layer) => layer);
  return all.map(layer => 1 + all.findIndex(count => byPosition(layers, count + 1, 'every-other').includes(layer)));
}

const meanings: Readonly<Record<UnitScore, Sentence>> = {
  magnitude: sentence('The squared size of its weights: a poor guide to what is lost.'),
  activation: sentence('What is lost when it goes and nothing is refitted, as a share of what the norm behind it reads.'),
  reconstruction: sentence(
    'What is lost when it goes after all with lower scores, the others taking over what they can, as a share of what the norm behind it reads.',
  ),
  gradient: sentence('How fast the predictions change with it, beside the others of its layer.'),
  position: sentence('Its place in the order in which layers go: every other one, from the last but one down.'),
  influence: sentence('How far it turns the hidden state of a token: 1 - cosine of what enters and what leaves it.'),
  agreement: sentence('How far the vectors of the text turn when it goes alone: 1 - mean cosine.'),
};
