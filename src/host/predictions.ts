import type { Recipe, Step } from '../protocol/messages.ts';

// What a person was told that a step would lose, for as long as the window is there: the comparison says it beside what was measured.

const told = new Map<string, number>();

/** Of a step only what chooses the units counts: the form may have added how they are repaired. */
const keyOf = (path: string, { pass, options }: Step): string =>
  JSON.stringify([path, pass, given(options.remove), options.fraction ?? null]);

const given = (remove: unknown): unknown =>
  typeof remove === 'object' && remove !== null && Object.keys(remove).length > 0 ? remove : null;

/** `cosine` to the original, without repair. */
export const keepPrediction = (path: string, step: Step, cosine: number): void => void told.set(keyOf(path, step), cosine);

export const predictionFor = (path: string, { steps: [step, ...more] }: Recipe): number | undefined =>
  step && more.length === 0 ? told.get(keyOf(path, step)) : undefined;
