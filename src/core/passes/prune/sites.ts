import type { Anatomy, Layer, Linear, Norm } from '../../anatomy/anatomy.ts';
import type { Half } from '../../calibration/calibration.ts';
import type { Edit, Refitted } from '../pass.ts';

/** The half of a layer that is cut, and the matrix behind the cut. */
export interface Site extends Half {
  readonly of: Layer;
  /** Its inputs are cut, and what is lost is refitted in it. */
  readonly linear: Linear;
  /** What reads its output and the residual, in a BERT. */
  readonly norm: Norm;
  readonly units: number;
  /** Inputs of one unit, side by side. */
  readonly width: number;
  /** Its output is added to what enters the half: drift from below can be taken back. */
  readonly addsToInput: boolean;
  /** The same matrices in other layers, which lose what these lose; absent where there are none. */
  readonly others?: readonly Site[];
  removal(units: readonly number[], refitted?: Refitted): Edit;
}

/** Layers with parts that not every BERT has may add something else than what enters them. */
const isPlain = ({ extra = [] }: Layer): boolean => extra.length === 0;

/** A site for each layer of `chosen`, with those of the layers that share its weights. */
export const sitesOf = ({ layers }: Anatomy, chosen: readonly Layer[], siteOf: (layer: Layer) => Site): Site[] =>
  chosen.map(layer => {
    const others = layers.filter(({ stored, index }) => stored === layer.stored && index !== layer.index).map(siteOf);
    return { ...siteOf(layer), ...(others.length > 0 && { others }) };
  });

export const headSite = (it: Layer): Site => ({
  of: it,
  layer: it.index,
  part: 'attention',
  linear: it.output,
  norm: it.attentionNorm,
  units: it.heads,
  width: it.headDim,
  addsToInput: isPlain(it),
  removal: (heads, output) => ({ kind: 'remove-heads', layer: it.index, heads, ...(output && { output }) }),
});

export const neuronSite = (it: Layer): Site => ({
  of: it,
  layer: it.index,
  part: 'feed-forward',
  linear: it.down,
  norm: it.outputNorm,
  units: it.down.in,
  width: 1,
  addsToInput: isPlain(it),
  removal: (neurons, down) => ({ kind: 'remove-neurons', layer: it.index, neurons, ...(down && { down }) }),
});

/** Inputs of the units that stay, ascending. */
export function keptInputs({ units, width }: Site, removed: readonly number[]): number[] {
  const gone = new Set(removed);
  const kept: number[] = [];
  for (let unit = 0; unit < units; unit++)
    if (!gone.has(unit)) for (let i = unit * width; i < (unit + 1) * width; i++) kept.push(i);
  return kept;
}
