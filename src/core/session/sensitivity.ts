import { fileFolder } from '../bytes/folder.ts';
import type { Calibration } from '../calibration/calibration.ts';
import { fail, type Sentence, say, sentence } from '../errors.ts';
import { readText } from '../evaluation/read-text.ts';
import { isChosen } from '../passes/globs.ts';
import type { Edit, Pass, PassContext, Plan, Skipped, Step } from '../passes/pass.ts';
import { measureParts } from '../passes/quantize/sensitivity.ts';
import { parseRecipe } from '../passes/recipe.ts';
import { passes } from '../passes/registry.ts';
import { type Part, partsOf } from '../report/parts.ts';
import type { Sensitivity, SensitivityRow } from '../report/sensitivity.ts';
import { summarize } from '../report/summary.ts';
import { apply, type Body } from '../rewrite/apply.ts';
import { calibrationTexts, openCalibration } from './calibrate.ts';
import { sizesOf, startOf } from './compress.ts';
import { type Opened, openPath } from './open.ts';
import { ownSentences } from './own-sentences.ts';
import { textNotes } from './text-notes.ts';
import type { SensitivityRequest, SessionOptions } from './types.ts';

/** Sentences that a model runs on for each part: more tell little more, and cost time in proportion. */
const mostTexts = 128;

/** Options that only say something about a whole model: for one part they are left at their defaults. */
const ofTheWhole = ['budget'];

/**
 * What each part of a model costs: the step is carried out on one part at a time, the model runs on the texts, and the drift of its
 * sentence vectors is the cost. Nothing is written. One changed model is in memory at a time.
 * throws  'usage' for a pass that cannot be kept to a part, 'unsupported' for a model that cannot be run
 */
export async function sensitivity(
  path: string,
  request: SensitivityRequest,
  { signal, progress }: SessionOptions = {},
): Promise<Sensitivity> {
  const started = performance.now();
  const { step, pass } = stepOf(request.step);
  const texts = await textsOf(path, request);
  const input = await openPath(path, signal);
  try {
    const body = await startOf(input, { format: request.format ?? input.model.format }, signal);
    const calibration = await openCalibration(input, body, texts, undefined, signal);
    try {
      const original = request.against === undefined ? undefined : await vectorsOf(request.against, texts, signal);
      const subject = { body, pass, step, input, sees: request.calibration !== undefined };
      const found = await measure(subject, request.parts, against(calibration, original), { signal, progress });
      const seconds = (performance.now() - started) / 1000;
      return { version: 1, step, parts: request.parts, texts: texts.length, ...found, notes: await textNotes(input), seconds };
    } finally {
      await calibration.close();
    }
  } finally {
    await input.close();
  }
}

function stepOf(given: Step): { readonly step: Step; readonly pass: Pass } {
  const step = parseRecipe({ version: 1, steps: [given] }).steps[0]!;
  const pass = passes.find(({ id }) => id === step.pass)!;
  const named = passes.filter(each => 'include' in each.fields).map(({ id }) => id);
  if (named.includes(pass.id)) return { step, pass };
  throw fail('usage', '{pass} cannot be kept to one part of a model. There is: {passes}.', {
    pass: pass.id,
    passes: named.join(', '),
  });
}

async function textsOf(path: string, { texts, calibration }: SensitivityRequest): Promise<readonly string[]> {
  const given = texts ?? (calibration === undefined ? (await ownSentences(path)).texts : await calibrationTexts(calibration));
  if (given.length === 0) throw fail('usage', 'There is no text to run the model on.');
  return given.slice(0, mostTexts);
}

type Vectors = Awaited<ReturnType<Calibration<Edit>['vectors']>>;

/** What another model says to the texts. */
async function vectorsOf(path: string, texts: readonly string[], signal?: AbortSignal): Promise<Vectors> {
  const opened = await openPath(path, signal);
  try {
    const calibration = await openCalibration(opened, opened, texts, undefined, signal);
    try {
      return await calibration.vectors([]);
    } finally {
      await calibration.close();
    }
  } finally {
    await opened.close();
  }
}

/** The same calibration, whose model without edits says what `original` did. */
const against = (calibration: Calibration<Edit>, original: Vectors | undefined): Calibration<Edit> =>
  original
    ? { ...calibration, vectors: async (edits, texts) => (edits.length === 0 ? original : calibration.vectors(edits, texts)) }
    : calibration;

interface Subject {
  readonly input: Opened;
  /** Do the step's methods see the text too? Not where it is only what the model runs on. */
  readonly sees: boolean;
  readonly body: Body;
  readonly pass: Pass;
  readonly step: Step;
}

/** What became of one part, or of the whole model. */
interface Tried {
  readonly plan: Plan;
  readonly byteLength: number;
}

/** The whole model's key among the parts: no id is empty. */
const whole = '';

async function measure(
  { input, body, pass, step, sees }: Subject,
  by: Sensitivity['parts'],
  calibration: Calibration<Edit>,
  { signal, progress }: SessionOptions,
): Promise<Pick<Sensitivity, 'rows' | 'all'>> {
  const { model, anatomy } = body;
  const parts = partsOf(anatomy, summarize(model, anatomy).tree, by);
  const before = sizesOf(model, anatomy).byteLength;
  const tried = new Map<string, Tried>();
  const context: PassContext = {
    model,
    format: model.format,
    beside: fileFolder(input.folder),
    readText,
    ...(sees && { calibration: async () => calibration }),
    ...(signal && { signal }),
  };
  const planFor = async (id: string): Promise<readonly Edit[]> => {
    const part = parts.find(each => each.id === id);
    const options = part ? optionsFor(part, step) : step.options;
    // Methods that look at text take most of a part's time; then the model runs.
    const planning = (fraction: number): void =>
      progress?.({ fraction: (tried.size + 0.9 * fraction) / (parts.length + 1), what: part?.id ?? model.name });
    const plan = options ? await pass.plan(anatomy, options as never, { ...context, progress: planning }) : nothing;
    const changed = plan.edits.length === 0 ? body : await apply(body, plan);
    tried.set(id, { plan, byteLength: sizesOf(changed.model, changed.anatomy).byteLength });
    return part && isBehind(part) ? [] : plan.edits;
  };
  const drifts = await measureParts(
    {
      ...context,
      calibration: async () => calibration,
      progress: (fraction, what) => progress?.({ fraction, what: what === whole ? model.name : what }),
    },
    [whole, ...parts.map(({ id }) => id)],
    planFor,
    calibration.texts,
  );
  return {
    rows: parts.map(part => {
      const why = reasonFor(part, tried.get(whole)!.plan.skipped, model.name);
      return rowOf(part, tried.get(part.id)!, before, drifts.get(part.id)!, why);
    }),
    all: { drift: drifts.get(whole)!, bytesBefore: before, bytesAfter: tried.get(whole)!.byteLength },
  };
}

/** The step's options for one part alone; undefined where the person's own choice leaves all of it out. */
function optionsFor({ globs, members }: Part, { options }: Step): Step['options'] | undefined {
  const { include, exclude } = options as { include: readonly string[]; exclude: readonly string[] };
  const chosen = members.filter(id => isChosen(id, include, exclude));
  if (chosen.length === 0) return undefined;
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !ofTheWhole.includes(name)));
  return { ...rest, include: include.length === 0 ? globs : chosen };
}

const nothing: Plan = { edits: [], skipped: [] };

function rowOf(part: Part, { plan, byteLength }: Tried, before: number, drift: number, why: Sentence): SensitivityRow {
  const { members: _, byteLength: bytesBefore, ...row } = part;
  const sizes = { ...row, bytesBefore, bytesAfter: bytesBefore + byteLength - before };
  const skipped = (reason: Sentence) => ({ ...sizes, drift: null, skipped: { reason: say(reason), sentence: reason } });
  if (plan.edits.length === 0) return skipped(why);
  return isBehind(part)
    ? skipped(sentence('It stands behind the sentence vectors that are compared: they do not see it.'))
    : { ...sizes, drift };
}

/** Sentence vectors are made of the last layer's hidden states. */
const isBehind = ({ organ }: Part): boolean => organ === 'pooler' || organ === 'head';

/** Why a part is left alone: what the step says of it, else of the whole model. */
function reasonFor({ id, members }: Part, skipped: readonly Skipped[], file: string): Sentence {
  const names = [id, ...members];
  const isOf = ({ target }: Skipped): boolean =>
    names.some(name => target === name || target.startsWith(`${name}.`) || name.startsWith(`${target}.`));
  const found = skipped.find(isOf) ?? skipped.find(({ target }) => target === file);
  return found?.reason ?? sentence('This step finds nothing to change in it.');
}
