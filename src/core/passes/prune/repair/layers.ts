import type { Anatomy } from '../../../anatomy/anatomy.ts';
import type { Calibration, Walk } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext, ReplaceEdit } from '../../pass.ts';
import { affineOf, fitNorm, normEdit } from '../../refit/norm-fit.ts';
import { fitAt } from '../fit-at.ts';
import { storedAs, typed } from '../matrix.ts';
import { headSite, neuronSite, type Site } from '../sites.ts';
import { ridge } from './ridge.ts';

export interface LayerRepair {
  /** Of the mean of the diagonal. */
  readonly damping: number;
  /** How many of the texts are used; all when absent. */
  readonly texts?: number | undefined;
}

/**
 * Refits the layers that stay: from the first gap on, the matrices that end their halves, and the norms behind these. A layer before a
 * gap aims at what the next layer that stays was given in the original, with the norm of the last layer in the gap.
 */
export async function repairLayers(
  calibration: Calibration<Edit>,
  { layers }: Anatomy,
  removed: readonly number[],
  { damping, texts }: LayerRepair,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<Edit[]> {
  const gone = new Set(removed);
  const walk = await calibration.walk([], texts, 'source');
  const edits: Edit[] = [];
  let isApart = walk.isFromSource;
  for (const layer of layers) {
    progress?.(layer.index / layers.length, `encoder.layer.${layer.index}`);
    if (gone.has(layer.index)) {
      // In front of all that stay: behind them, the gap was passed by the layer before it.
      if (walk.atOriginal?.layer === layer.index) await passLayer(walk);
      isApart = true;
      continue;
    }
    const goal = layers[lastOfGap(layer.index, layers.length, gone)]!;
    await half(headSite(layer), headSite(layer));
    await half(neuronSite(layer), neuronSite(goal));
    for (let at = layer.index; at < goal.index; at++) for (const _ of [0, 1]) walk.skip('current');
  }
  return edits;

  async function half(site: Site, goal: Site): Promise<void> {
    throwIfCancelled(signal);
    if (!isApart && site.layer === goal.layer) return walk.advance([]);
    while (walk.atOriginal!.layer < goal.layer) await walk.move('original');
    if (goal.part === 'feed-forward' && walk.atOriginal!.part === 'attention') await walk.move('original');
    isApart = true;
    const made = await refitHalf(calibration, walk, site, goal, damping, signal);
    edits.push(...made);
    await walk.move('original');
    await walk.move('current', made);
  }
}

async function passLayer(walk: Walk<Edit>): Promise<void> {
  for (const _ of [0, 1]) {
    await walk.move('original');
    walk.skip('current');
  }
}

function lastOfGap(layer: number, count: number, gone: ReadonlySet<number>): number {
  let last = layer;
  while (last + 1 < count && gone.has(last + 1)) last++;
  return last;
}

async function refitHalf(
  calibration: Calibration<Edit>,
  walk: Walk<Edit>,
  site: Site,
  goal: Site,
  damping: number,
  signal?: AbortSignal,
): Promise<Edit[]> {
  const { linear, norm } = site;
  const fit = await fitAt(calibration, walk, site, true, signal, goal.linear);
  const every = Array.from({ length: linear.in }, (_, i) => i);
  const { weight_KO, bias_O } = ridge(fit, every, damping);
  const matrix: ReplaceEdit = {
    kind: 'replace',
    target: linear,
    weight: storedAs(linear, weight_KO),
    ...(bias_O && { bias: typed(linear.bias!, linear.bias!.shape, Float32Array.from(bias_O)) }),
  };
  if (!goal.norm.weight || !goal.norm.bias || !norm.weight || !norm.bias) return [matrix];
  const affine = await affineOf(goal.norm, signal);
  const borrowed = goal.layer === site.layer ? [] : [normEdit(norm, affine)];
  const fitted = await fitNorm(walk, norm, [matrix, ...borrowed], 'output', signal, affine);
  return [matrix, ...(fitted ? [fitted] : [])];
}
