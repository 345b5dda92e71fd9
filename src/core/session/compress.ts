import type { Anatomy } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import { openOutput } from '../bytes/output.ts';
import type { Output } from '../bytes/source.ts';
import { fail, say, sentence, throwIfCancelled } from '../errors.ts';
import type { Format } from '../format/format.ts';
import { openModel } from '../format/open.ts';
import { formatOf } from '../format/registry.ts';
import type { Model } from '../model/model.ts';
import type { Edit, Recipe, Skipped } from '../passes/pass.ts';
import { parseRecipe } from '../passes/recipe.ts';
import { passes } from '../passes/registry.ts';
import type { CompressReport, Sizes } from '../report/comparison.ts';
import { summarize } from '../report/summary.ts';
import { apply, type Body } from '../rewrite/apply.ts';
import { asGraph } from './as-graph.ts';
import { carryCompanions } from './companions.ts';
import { type Opened, openPath } from './open.ts';
import { poolingOf } from './pooling.ts';
import { checkTarget, type Target, targetOf } from './target.ts';
import type { CompressRequest, SessionOptions } from './types.ts';

export type CompressAnswer = CompressReport & { readonly steps: readonly Sizes[] };

/** Opens, plans and rewrites step by step, writes, opens again and checks, and only then lets the result appear. A dry run stops before writing. */
export async function compress(request: CompressRequest, options: SessionOptions = {}): Promise<CompressAnswer> {
  const started = performance.now();
  const peak = peakMemory();
  const input = await openPath(request.path, options.signal);
  try {
    const target = await targetOf(request.out, request.format, input);
    if (!request.dryRun) await checkTarget(target, input, request.force ?? false);
    const start = await startOf(input, target, options.signal);
    const format = formatOf(target.format);
    const before = sizesOf(input.model, input.anatomy);
    const recipe = parseRecipe(request.recipe);
    const done = await runSteps(start, recipe, target, format, options.signal);
    if (!request.dryRun) {
      if (done.edits.length === 0) throw nothingToDo(input, done.skipped);
      await write(input, done.body, target, format, request.force ?? false, options, peak.sample);
    }
    return {
      version: 1,
      recipe,
      out: target.path,
      before,
      after: done.sizes.at(-1) ?? before,
      edits: done.edits.map(describeEdit),
      skipped: done.skipped.map(it => ({ target: it.target, reason: say(it.reason), sentence: it.reason })),
      seconds: (performance.now() - started) / 1000,
      peakBytes: peak.sample(),
      steps: done.sizes,
    };
  } finally {
    await input.close();
  }
}

/** The model in the format that is to be written: itself, or a checkpoint as a graph. */
async function startOf(input: Opened, target: Target, signal?: AbortSignal): Promise<Body> {
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
  /** Sizes after each step. */
  readonly sizes: readonly Sizes[];
}

async function runSteps(start: Body, recipe: Recipe, target: Target, format: Format, signal?: AbortSignal): Promise<Done> {
  let body = start;
  const edits: Edit[] = [];
  const skipped: Skipped[] = [];
  const sizes: Sizes[] = [];
  for (const step of recipe.steps) {
    throwIfCancelled(signal);
    const pass = passes.find(it => it.id === step.pass)!;
    const context = { model: body.model, format: target.format, ...(signal && { signal }) };
    const plan = await pass.plan(body.anatomy, step.options as never, context);
    if (plan.edits.length > 0) body = await apply(body, plan);
    edits.push(...plan.edits);
    skipped.push(...plan.skipped);
    sizes.push({ ...sizesOf(body.model, body.anatomy), fileBytes: await fileBytes(format, body.model, target.name) });
  }
  return { body, edits, skipped, sizes };
}

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

function describeEdit(edit: Edit): CompressReport['edits'][number] {
  const shape = `[${edit.target.weight.shape.join(', ')}]`;
  return {
    kind: edit.kind,
    target: edit.target.id,
    before: `${edit.target.weight.dtype} ${shape}`,
    after: `${edit.values.dtype} ${shape}`,
  };
}

export async function write(
  input: Opened,
  body: Body,
  target: Target,
  format: Format,
  force: boolean,
  { signal, progress }: SessionOptions,
  sample: () => number,
): Promise<void> {
  const output = await openOutput(target.folder, { overwrite: force });
  try {
    await carryCompanions(input, body.model, target, output, force);
    const report = (done: number, total: number, what: string) => {
      sample();
      progress?.({ fraction: total === 0 ? 0 : done / total, what, bytesDone: done, bytesTotal: total });
    };
    await format.write(body.model, output, target.name, { ...(signal && { signal }), progress: report });
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
export function peakMemory(): { sample(): number } {
  let [peak, asked] = [0, 0];
  return {
    sample: () => {
      const now = performance.now();
      if (now - asked > 20) {
        asked = now;
        peak = Math.max(peak, process.memoryUsage.rss());
      }
      return peak;
    },
  };
}
