import type { Layer, Linear } from '../anatomy/anatomy.ts';
import { type Taps, taps as tapsOf } from '../anatomy/taps.ts';
import type { Half, Tap } from './calibration.ts';
import type { Aim, GraphBody } from './source.ts';

/** The values of a graph that a stream of hidden states passes, told in the layers and ids of the model that is being changed. */
export interface Way {
  /** What enters layer 0. */
  readonly embeddings: string | undefined;
  enters(half: Half): string | undefined;
  leaves(half: Half): string | undefined;
  /** undefined for what the graph does not show. */
  tap(tap: Tap, half: Half): string | undefined;
}

/** Of the model itself. */
export function ownWay({ model, anatomy }: GraphBody): Way {
  const found = tapsOf(model, anatomy);
  const way: Way = {
    embeddings: found.embeddings,
    enters: ({ layer, part }) => found.layers[layer]?.[part === 'attention' ? 'input' : 'attentionNormOut'],
    leaves: ({ layer, part }) => found.layers[layer]?.[part === 'attention' ? 'attentionNormOut' : 'output'],
    tap: (tap, half) => (tap === 'input' ? way.enters(half) : tap === 'output' ? way.leaves(half) : linearValue(found, tap)),
  };
  return way;
}

/**
 * Of an earlier state. In front of a gap, where layers are gone, the feed-forward half of a layer does what all up to the gap's end did:
 * it ends where that ended, and what is added up there are the last one's branch and input. A factor has the input or the output of the
 * whole. What has another width than it had is not shown.
 */
export function earlierWay({ body, layers }: Aim, now: readonly Layer[]): Way {
  const found = tapsOf(body.model, body.anatomy);
  const before = body.anatomy.layers;
  const was = (layer: number): number => layers[layer]!;
  const goal = (layer: number): number => (layers[layer + 1] ?? before.length) - 1;
  const way: Way = {
    embeddings: found.layers[layers[0] ?? 0]?.input,
    enters: ({ layer, part }) => found.layers[was(layer)]?.[part === 'attention' ? 'input' : 'attentionNormOut'],
    leaves: ({ layer, part }) =>
      part === 'attention' ? found.layers[was(layer)]?.attentionNormOut : found.layers[goal(layer)]?.output,
    tap(tap, half) {
      const { layer, part } = half;
      if (tap === 'input') return part === 'attention' ? way.enters(half) : found.layers[goal(layer)]?.attentionNormOut;
      if (tap === 'output') return way.leaves(half);
      for (const role of roles) {
        const linear = before[role === 'down' ? goal(layer) : was(layer)]?.[role];
        const same = linear && counterpart(tap, now[layer]?.[role], linear);
        if (same) return linearValue(found, same);
      }
      return undefined;
    },
  };
  return way;
}

const roles = ['query', 'key', 'value', 'output', 'up', 'gate', 'down'] as const;

/** The tap of `was` that is what a tap of `is` was; undefined where it is none of it, or has another width. */
function counterpart(tap: Tap, is: Linear | undefined, was: Linear): Tap | undefined {
  const [id, end] = split(tap);
  const [whole, old] = [is?.within ?? is, was.within ?? was];
  const pairs: [Linear | undefined, Linear | undefined][] = [
    [is, was],
    [whole, old],
    [whole?.factors?.first, old.factors?.first ?? (end === 'in' ? old : undefined)],
    [whole?.factors?.second, old.factors?.second ?? (end === 'out' ? old : undefined)],
  ];
  const [, linear] = pairs.find(([now, then]) => now?.id === id && then?.[end] === now[end]) ?? [];
  return linear && `${linear.id}:${end}`;
}

function linearValue({ linearInput, linearOutput }: Taps, tap: Tap): string | undefined {
  const [id, end] = split(tap);
  return (end === 'in' ? linearInput : linearOutput).get(id);
}

function split(tap: Tap): [id: string, end: 'in' | 'out'] {
  const at = tap.lastIndexOf(':');
  return [tap.slice(0, at), tap.slice(at + 1) as 'in' | 'out'];
}
