import type { Comparison, CompressReport, Made } from './messages.ts';

/** What became of a model's layers and heads, by the numbers they had at first. */
export interface Lineage {
  /** Layers that stayed, in their order: the position is the number they have now. */
  readonly layers: readonly number[];
  /** Heads that stayed, for every layer there was; none in a layer that is gone. */
  readonly heads: readonly (readonly number[])[];
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What became of the layers and heads of the first of two models: as the run tells that made the second, or its config.json. */
export function lineageIn({ heads }: Pick<Comparison, 'heads'>, made: Pick<Made, 'report'> | null): Lineage | undefined {
  const told = made ? lineageOf(made.report.edits, heads.before) : undefined;
  if (told && agrees(told, heads.after)) return told;
  return heads.kept && { layers: upTo(heads.before.length), heads: heads.kept };
}

/** It tells of this very model. */
const agrees = ({ layers, heads }: Lineage, after: readonly number[]): boolean =>
  layers.length === after.length && layers.every((was, now) => heads[was]?.length === after[now]);

/**
 * Follows the edits of a run in their order; each names layers and heads by the numbers of its time. `heads` are those of each layer
 * before. undefined where an edit names what is not there: then the report is of another model.
 */
export function lineageOf(edits: CompressReport['edits'], heads: readonly number[]): Lineage | undefined {
  let layers = upTo(heads.length);
  const kept = heads.map(upTo);
  for (const { kind, target, before } of edits) {
    if (kind === 'remove-layers') {
      const gone = new Set(numbersIn(before));
      for (const layer of gone) {
        const was = layers[layer];
        if (was === undefined) return undefined;
        kept[was] = [];
      }
      layers = layers.filter((_, index) => !gone.has(index));
    }
    if (kind !== 'remove-heads') continue;
    const was = layers[Number(/^encoder\.layer\.(\d+)\./.exec(target)?.[1] ?? Number.NaN)];
    if (was === undefined) return undefined;
    const gone = new Set(numbersIn(before));
    if ([...gone].some(head => head >= kept[was]!.length)) return undefined;
    kept[was] = kept[was]!.filter((_, index) => !gone.has(index));
  }
  return { layers, heads: kept };
}

/** "heads 1, 3" */
const numbersIn = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
