import type { Anatomy } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import { fileFolder } from '../bytes/folder.ts';
import { memorySource } from '../bytes/memory.ts';
import { openOutput } from '../bytes/output.ts';
import type { Folder, Output } from '../bytes/source.ts';
import { fail, type Sentence, say, sentence, throwIfCancelled } from '../errors.ts';
import { readText } from '../evaluation/read-text.ts';
import { findTokenizer } from '../evaluation/tokenize/find.ts';
import type { Tokenizer } from '../evaluation/tokenize/tokenizer.ts';
import type { Format } from '../format/format.ts';
import { openModel } from '../format/open.ts';
import { formatOf } from '../format/registry.ts';
import * as buffers from '../kernels/scratch.ts';
import type { Model } from '../model/model.ts';
import { describeEdit } from '../passes/describe-edit.ts';
import type { Edit, PassContext, Plan, Recipe, Skipped, Step } from '../passes/pass.ts';
import { PlanAgain } from '../passes/plan-again.ts';
import { parseRecipe } from '../passes/recipe.ts';
import { passes } from '../passes/registry.ts';
import type { CompressReport, Sizes } from '../report/comparison.ts';
import { summarize } from '../report/summary.ts';
import { apply, type Body } from '../rewrite/apply.ts';
import { asGraph } from './as-graph.ts';
import { calibrationTexts, openCalibration } from './calibrate.ts';
import { carryCompanions } from './companions.ts';
import { openLabelled } from './labelled.ts';
import { openLatency } from './latency.ts';
import { type Opened, openPath } from './open.ts';
import { poolingOf } from './pooling.ts';
import { openProducts } from './products.ts';
import { type Source, sourceBehind, sourceOf } from './source.ts';
import { checkTarget, type Target, targetOf } from './target.ts';
import type { CompressRequest, SessionOptions } from './types.ts';

export type CompressAnswer = CompressReport & { readonly steps: readonly Sizes[] };

/** Opens, plans and rewrites step by step, writes, opens again and checks, and only then lets the result appear. A dry run stops before writing. */
export async function compress(request: CompressRequest, options: SessionOptions = {}): Promise<CompressAnswer> {
  const started = performance.now();
  const peak = peakMemory();
  const input = await openPath(request.path, options.signal);
  const products = openProducts();
  const stopWatching = peak.watch();
  try {
    const target = await targetOf(request.out, request.format, input);
    if (!request.dryRun) await checkTarget(target, input, request.force ?? false);
    const start = await startOf(input, target, options.signal);
    const format = formatOf(target.format);
    const before = sizesOf(input.model, input.anatomy);
    const recipe = parseRecipe(request.recipe);
    const texts = request.calibration === undefined ? undefined : await calibrationTexts(request.calibration);
    const dryRun = request.dryRun ?? false;
    const run = { input, target, format, texts, products: products.product, dryRun, ...options };
    const attempt = async (trusting: boolean): Promise<Done> => {
      const made = await runSteps({ ...run, trusting }, start, recipe);
      if (dryRun) return made;
      if (made.edits.length === 0) throw nothingToDo(input, made.skipped);
      await write(input, made.body, target, format, request.force ?? false, options, peak.sample, made.companions);
      return made;
    };
    const done = await attempt(!dryRun && !texts).catch(error => {
      if (error instanceof PlanAgain) return attempt(false);
      throw error;
    });
    return {
      version: 1,
      recipe,
      out: target.path,
      before,
      after: done.sizes.at(-1) ?? before,
      edits: done.edits.map(describeEdit),
      skipped: done.skipped.map(it => ({ target: it.target, reason: say(it.reason), sentence: it.reason })),
      ...(done.exact && { exact: done.exact }),
      ...(done.notes.length > 0 && { notes: done.notes.map(note => ({ note: say(note), sentence: note })) }),
      seconds: (performance.now() - started) / 1000,
      peakBytes: peak.sample(),
      steps: done.sizes,
    };
  } finally {
    stopWatching();
    await products.close();
    await input.close();
  }
}

/** The model in the format that is to be written: itself, or a checkpoint as a graph. */
export async function startOf(input: Opened, target: Pick<Target, 'format'>, signal?: AbortSignal): Promise<Body> {
  const { model, anatomy } = input;
  if (target.format === model.format) return { model, anatomy };
  if (target.format === 'onnx') return asGraph(input, (await poolingOf(input.folder)).pooling, signal);
  const detail = { file: model.name, hint: sentence('Choose the format of the input.') };
  throw fail('unsupported', 'A {from} model cannot be written as {to} yet.', { from: model.format, to: target.format }, detail);
}

interface Done {
  readonly body: Body;
  readonly edits: readonly Edit[];
  readonly skipped: readonly Skipped[];
  readonly notes: readonly Sentence[];
  /** The recipe with what was chosen in place of what chose it, where a step says so. */
  readonly exact: Recipe | undefined;
  /** Sizes after each step. */
  readonly sizes: readonly Sizes[];
  /** Files beside the result that the steps made. */
  readonly companions: ReadonlyMap<string, Uint8Array>;
}

/** What all steps of a run have in common. */
interface Run extends SessionOptions {
  readonly input: Opened;
  readonly target: Target;
  readonly format: Format;
  readonly texts: readonly string[] | undefined;
  readonly products: NonNullable<PassContext['products']>;
  readonly dryRun: boolean;
  readonly trusting: boolean;
}

async function runSteps(run: Run, start: Body, recipe: Recipe): Promise<Done> {
  const { target, format, signal } = run;
  let body = start;
  const edits: Edit[] = [];
  const skipped: Skipped[] = [];
  const notes: Sentence[] = [];
  const sizes: Sizes[] = [];
  const exact: Step[] = [];
  let isExact = false;
  const companions = new Map<string, Uint8Array>();
  let source = sourceOf(start);
  for (const [index, step] of recipe.steps.entries()) {
    throwIfCancelled(signal);
    const part = { done: index / recipe.steps.length, share: 1 / recipe.steps.length };
    const plan = await planStep(run, { body, source, companions, ...part }, step);
    if (plan.edits.length > 0) {
      body = await apply(body, plan);
      source = sourceBehind(source, plan, body);
    }
    edits.push(...plan.edits);
    skipped.push(...plan.skipped);
    notes.push(...(plan.notes ?? []));
    exact.push(plan.exact ? { ...step, options: plan.exact } : step);
    isExact ||= plan.exact !== undefined;
    for (const [name, bytes] of plan.companions ?? []) companions.set(name, bytes);
    sizes.push({ ...sizesOf(body.model, body.anatomy), fileBytes: await fileBytes(format, body.model, target.name) });
  }
  return { body, edits, skipped, notes, exact: isExact ? { ...recipe, steps: exact } : undefined, sizes, companions };
}

/** What a step starts from. */
interface Before {
  readonly body: Body;
  readonly source: Source;
  readonly companions: ReadonlyMap<string, Uint8Array>;
  /** Shares of the whole run: done by now, and of this step. */
  readonly done: number;
  readonly share: number;
}

/** Plans one step; the model runs on the calibration text only while that takes. */
async function planStep(
  { input, target, format, texts, products, dryRun, trusting, signal, progress }: Run,
  { body, source, companions, done, share }: Before,
  { pass: id, options }: Step,
): Promise<Plan> {
  let isAimed = false;
  const aim = () => {
    isAimed = true;
    return source;
  };
  let open: ReturnType<typeof openCalibration> | undefined;
  const labelled: { close(): Promise<void> }[] = [];
  const timing = openLatency(input, body, signal);
  const beside = overlaid(fileFolder(input.folder), companions);
  const context: PassContext = {
    model: body.model,
    format: target.format,
    dryRun,
    trusting,
    products,
    latency: timing.latency,
    labelled: async (task, most) => {
      const found = await openLabelled(input, body, task, most, beside, signal);
      labelled.push(found);
      return found;
    },
    beside,
    tokenizer: () => tokenizerIn(beside, body.model.name),
    readText,
    sizeOf: async plan => fileBytes(format, (await apply(body, plan)).model, target.name),
    ...(texts && {
      calibration: () => {
        open ??= openCalibration(input, body, texts, beside, signal, aim);
        return open;
      },
    }),
    progress: (fraction, what) => progress?.({ fraction: done + share * fraction, what }),
    ...(signal && { signal }),
  };
  try {
    const plan = await passes.find(it => it.id === id)!.plan(body.anatomy, options as never, context);
    return isAimed && source.reason ? { ...plan, notes: [...(plan.notes ?? []), source.reason] } : plan;
  } finally {
    await (await open?.catch(() => undefined))?.close();
    await timing.close();
    for (const each of labelled) await each.close();
  }
}

async function tokenizerIn(beside: Folder, file: string): Promise<Tokenizer> {
  const found = await findTokenizer(beside);
  if (!found) throw fail('missing-file', 'There is no tokenizer beside this model.', {}, { file });
  return found;
}

/** The folder as it will be: a tokenizer that an earlier step made is what a later one reads. */
const overlaid = (folder: Folder, made: ReadonlyMap<string, Uint8Array>): Folder => ({
  ...folder,
  open: async name => {
    const bytes = made.get(name);
    return bytes ? memorySource(name, bytes) : folder.open(name);
  },
});

const fileBytes = async (format: Format, model: Model, name: string): Promise<number> =>
  (await format.plan(model, name)).reduce((sum, file) => sum + file.byteLength, 0);

export function sizesOf(model: Model, anatomy: Anatomy): Sizes {
  const summary = summarize(model, anatomy);
  return { parameters: summary.model.parameters, byteLength: summary.model.byteLength, fileBytes: model.byteLength };
}

/** An input that leaves nothing to do gets the reasons as its sentence, the commonest first. */
function nothingToDo(input: Opened, skipped: readonly Skipped[]): Error {
  const counts = new Map<string, number>();
  for (const { reason } of skipped) counts.set(say(reason), (counts.get(say(reason)) ?? 0) + 1);
  const reasons = [...counts].sort((a, b) => b[1] - a[1]).map(([reason]) => reason);
  const detail = { file: input.model.name, hint: sentence('Nothing was written.') };
  return fail('nothing-to-do', 'There is nothing to change here. {reason}', { reason: reasons[0] ?? '' }, detail);
}

export async function write(
  input: Opened,
  body: Body,
  target: Target,
  format: Format,
  force: boolean,
  { signal, progress }: SessionOptions,
  sample: () => number,
  companions: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<void> {
  const output = await openOutput(target.folder, { overwrite: force });
  try {
    await carryCompanions(input, body.model, target, output, force, companions);
    const report = (done: number, total: number, what: string) => {
      sample();
      progress?.({ fraction: total === 0 ? 0 : done / total, what, bytesDone: done, bytesTotal: total });
    };
    await format.write(body.model, output, target.name, { ...(signal && { signal }), progress: report, buffers });
    await verifyWritten(output, body, target, format);
    throwIfCancelled(signal);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
}

/** Opens what was written, before anyone else can, and compares it with what was promised. */
async function verifyWritten(output: Output, promised: Body, target: Target, format: Format): Promise<void> {
  const wrong = (what: string, found: number, expected: number) =>
    fail(
      'verify-failed',
      'The written file does not read back: {what} is {found} instead of {expected}. Nothing was kept.',
      { what, found, expected },
      { file: target.name },
    );
  const source = await output.written.open(target.name);
  if (!source) throw wrong('length', 0, 1);
  try {
    const model = await openModel(source, output.written);
    const planned = await fileBytes(format, promised.model, target.name);
    if (model.byteLength !== planned) throw wrong('length', model.byteLength, planned);
    if (model.tensors.size !== promised.model.tensors.size)
      throw wrong('tensors', model.tensors.size, promised.model.tensors.size);
    const anatomy = await detect(model);
    if (anatomy.layers.length !== promised.anatomy.layers.length)
      throw wrong('layers', anatomy.layers.length, promised.anatomy.layers.length);
    const [found, expected] = [sizesOf(model, anatomy).parameters, sizesOf(promised.model, promised.anatomy).parameters];
    if (found !== expected) throw wrong('parameters', found, expected);
  } finally {
    await source.close();
  }
}

/** The process's peak resident memory while it is sampled, in bytes. Asking costs about 0.1 ms: at most every 20 ms. */
export function peakMemory(): {
  sample(): number /** Samples ten times a second until what it returns is called. */;
  watch(): () => void;
} {
  let [peak, asked] = [0, 0];
  const sample = (): number => {
    const now = performance.now();
    if (now - asked > 20) {
      asked = now;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    return peak;
  };
  return {
    sample,
    watch() {
      const timer = setInterval(sample, 100).unref();
      return () => clearInterval(timer);
    },
  };
}
