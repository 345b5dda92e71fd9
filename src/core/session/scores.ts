import type { Anatomy } from '../anatomy/anatomy.ts';
import { fileFolder } from '../bytes/folder.ts';
import type { Calibration } from '../calibration/calibration.ts';
import { fail, say } from '../errors.ts';
import type { Edit, PassContext } from '../passes/pass.ts';
import { pruneScores, type ScoredPass, scoresOf, type UnitScore } from '../passes/prune/scores.ts';
import { cheapest, type Removal } from '../passes/prune/units.ts';
import { measureParts } from '../passes/quantize/sensitivity.ts';
import type { LossCurve, Scores } from '../report/scores.ts';
import { calibrationTexts, openCalibration } from './calibrate.ts';
import { openPath } from './open.ts';
import type { ScoresRequest, SessionOptions } from './types.ts';

/** Sentences that are looked at: the order of units settles long before a repair would be good. */
const mostTexts = 512;
/** Of them, those on which the loss is measured: it takes a run of the whole model for each fraction. */
const lossTexts = 64;
/** Of the units, where the loss is measured. */
const fractions = [0.05, 0.1, 0.25, 0.5, 0.75, 0.95];
/** Where there are no more, it is measured for every number of them. */
const fewUnits = 13;
/** Of the whole progress, the part that the scores take; the loss takes the rest. */
const scoresShare = 0.7;

/**
 * What each head, neuron or layer is worth, as the choosing of the pass computes it, and where there is text what goes with the lowest:
 * the drift of the whole model at a few fractions, with nothing repaired. Nothing is written.
 * throws  'usage' for a score that the pass does not have, or that takes text where there is none
 */
export async function scores(path: string, request: ScoresRequest, { signal, progress }: SessionOptions = {}): Promise<Scores> {
  const { pass, by } = asked(request);
  const given = request.texts ?? (request.calibration === undefined ? undefined : await calibrationTexts(request.calibration));
  const texts = given?.slice(0, mostTexts);
  if (texts?.length === 0) throw fail('usage', 'There is no text to run the model on.');
  const input = await openPath(path, signal);
  let open: ReturnType<typeof openCalibration> | undefined;
  try {
    const { model, anatomy } = input;
    const part = (from: number, to: number) => (fraction: number, what: string) =>
      progress?.({ fraction: from + fraction * (to - from), what });
    const context: PassContext = {
      model,
      format: model.format,
      beside: fileFolder(input.folder),
      ...(texts && {
        calibration: () => {
          open ??= openCalibration(input, input, texts, undefined, signal);
          return open;
        },
      }),
      progress: part(0, texts ? scoresShare : 1),
      ...(signal && { signal }),
    };
    const found = await pruneScores(anatomy, { pass, by }, context);
    const losses = texts && (await lossesOf(anatomy, pass, found.layers, { ...context, progress: part(scoresShare, 1) }));
    return {
      version: 1,
      pass,
      by,
      meaning: found.meaning,
      layers: found.layers,
      skipped: found.skipped.map(({ target, reason }) => ({ target, reason: say(reason), sentence: reason })),
      texts: texts?.length ?? 0,
      ...losses,
    };
  } finally {
    await (await open?.catch(() => undefined))?.close();
    await input.close();
  }
}

function asked({ pass, by }: ScoresRequest): { readonly pass: ScoredPass; readonly by: UnitScore } {
  const known: readonly string[] | undefined = Object.hasOwn(scoresOf, pass) ? scoresOf[pass] : undefined;
  if (!known) throw fail('usage', 'There is no score of {pass}.', { pass });
  if (known.includes(by)) return { pass, by: by as UnitScore };
  throw fail('usage', '{pass} is not scored by “{by}”. There is: {choices}.', { pass, by, choices: known.join(', ') });
}

/** The whole model runs without the lowest, once for each fraction. Units that share their weights are gone in all layers at once. */
async function lossesOf(
  { layers }: Anatomy,
  pass: ScoredPass,
  scored: Scores['layers'],
  context: PassContext,
): Promise<Pick<Scores, 'loss' | 'evenLoss'>> {
  const scoresByLayer = new Map(scored.map(({ layer, scores: each }) => [layer, each]));
  const units = scored.reduce((sum, { scores: each }) => sum + each.length, 0);
  if (units < 2 || layers.some(({ index, stored }) => index !== stored)) return {};
  const most = pass === 'prune-layers' ? units - 1 : units - scored.length;
  const few =
    units <= fewUnits ? Array.from({ length: units }, (_, count) => count) : fractions.map(it => Math.round(it * units));
  const counts = [...new Set(few.map(count => Math.min(most, count)))].filter(count => count > 0);
  const removals = new Map<string, { readonly fraction: number; readonly edits: readonly Edit[] }>();
  for (const count of counts) {
    const lowest = pass === 'prune-layers' ? cheapestLayers(scored, count) : editsOf(pass, cheapest(scoresByLayer, count));
    removals.set(`lowest ${count}`, { fraction: count / units, edits: lowest });
    if (pass !== 'prune-neurons') continue;
    removals.set(`even ${count}`, { fraction: count / units, edits: editsOf(pass, evenly(scoresByLayer, count / units)) });
  }
  const calibration: Calibration<Edit> | undefined = await context.calibration?.();
  const texts = Math.min(lossTexts, calibration?.texts ?? lossTexts);
  const drifts = await measureParts(context, [...removals.keys()], async key => removals.get(key)!.edits, texts);
  const curve = (kind: string): LossCurve => {
    const points = [...removals].filter(([key]) => key.startsWith(kind));
    return { fraction: points.map(([, { fraction }]) => fraction), drift: points.map(([key]) => drifts.get(key)!), texts };
  };
  return { loss: curve('lowest'), ...(pass === 'prune-neurons' && { evenLoss: curve('even') }) };
}

function cheapestLayers(scored: Scores['layers'], count: number): Edit[] {
  const order = [...scored].sort((a, b) => a.scores[0]! - b.scores[0]! || a.layer - b.layer);
  const layers = order.slice(0, count).map(({ layer }) => layer);
  return [{ kind: 'remove-layers', layers: layers.sort((a, b) => a - b) }];
}

/** Of every layer the same share. */
function evenly(scored: ReadonlyMap<number, readonly number[]>, fraction: number): Removal {
  const one = (layer: number, each: readonly number[]) =>
    cheapest(new Map([[layer, each]]), Math.min(each.length - 1, Math.round(each.length * fraction))).get(layer) ?? [];
  return new Map([...scored].map(([layer, each]) => [layer, one(layer, each)]));
}

const editsOf = (pass: ScoredPass, removal: Removal): Edit[] =>
  [...removal]
    .filter(([, units]) => units.length > 0)
    .map(([layer, units]) =>
      pass === 'prune-heads' ? { kind: 'remove-heads', layer, heads: units } : { kind: 'remove-neurons', layer, neurons: units },
    );
