import type { Anatomy, Norm } from '../../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence, throwIfCancelled } from '../../../errors.ts';
import type { Model } from '../../../model/model.ts';
import { calibrationOf } from '../../calibration-of.ts';
import type { PassContext, Plan } from '../../pass.ts';
import { dampingFor, type TextOptions } from '../damping.ts';
import { noLayers } from '../plan-heads.ts';
import { channelMagnitudes } from './magnitude.ts';
import { notNarrowable } from './narrowable.ts';
import { Narrowed, type Reading, readingOf, writingOf } from './narrowed.ts';
import { promisedEdit } from './promised.ts';
import { repairHidden } from './repaired.ts';
import { statesOf } from './states.ts';
import { type StreamHalf, streamOf } from './stream.ts';
import { channels, principal, type Subspace } from './subspace.ts';

export interface HiddenOptions extends TextOptions {
  readonly hidden: number | null;
  readonly fraction: number | null;
  readonly by: 'pca' | 'magnitude';
  readonly repair: 'auto' | 'none' | 'bias' | 'least-squares';
}

/** Of the refits: the best of 0.01 to 1 for half and three quarters of MiniLM's dimensions and 1,024 sentences. */
const usualDamping = 0.1;

export async function planHidden(anatomy: Anatomy, options: HiddenOptions, context: PassContext): Promise<Plan> {
  const { model, calibration, dryRun, signal } = context;
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const size = sizeFor(model, anatomy.hidden, options);
  const reason = notNarrowable(model, anatomy);
  if (reason) return { edits: [], skipped: [{ target: model.name, reason }] };
  const halves = streamOf(anatomy)!;
  const notes = noteFor(model);
  const { by } = options;
  const repair = options.repair === 'auto' ? (calibration || by === 'pca' ? 'least-squares' : 'none') : options.repair;
  if (options.repair === 'auto') notes.push(sentence('repair: {repair}.', { repair }));
  if (dryRun) return { edits: [promisedEdit(anatomy, halves, size)], skipped: [], notes };
  const needsText = by === 'pca' || repair !== 'none';
  const text = needsText ? await calibrationOf(context, by === 'pca' ? `by: ${by}` : `repair: ${repair}`) : undefined;
  const norms = [...halves.map(({ entering }) => entering), anatomy.layers.at(-1)!.outputNorm];
  const texts = options.sentences ?? undefined;
  const part = (from: number, share: number) => ({
    ...context,
    progress: (done: number, id: string) => context.progress?.(from + share * done, id),
  });
  const pause = async () => {
    await new Promise(resolve => setImmediate(resolve));
    throwIfCancelled(signal);
  };
  const spaces: Subspace[] = [];
  const scores = by === 'magnitude' ? await channelMagnitudes(anatomy.hidden, anatomy.tables, halves) : undefined;
  if (text)
    for await (const states of statesOf(text, norms, texts, part(0, 1 / 3)))
      spaces.push(scores ? await channels(scores, size, states, pause) : await principal(states, size, pause));
  else {
    const space = await channels(scores!, size, undefined, pause);
    for (const _ of norms) spaces.push(space);
  }
  const narrowed = new Narrowed(anatomy, size);
  const readings = await turn(narrowed, halves, norms, spaces, repair !== 'none');
  if (text && repair === 'least-squares' && size < anatomy.hidden) {
    const inputs = Math.max(...halves.map(({ writer }) => writer.in)) + size;
    const { damping, note } = dampingFor(options, usualDamping, inputs, text);
    if (note) notes.push(note);
    await repairHidden(text, narrowed, { halves, spaces, readings, damping, texts }, part(1 / 3, 2 / 3));
  }
  return { edits: [narrowed.edit], skipped: [], notes };
}

/** By the rotation alone. Returns what each norm's narrow state stands for. */
async function turn(
  narrowed: Narrowed,
  halves: readonly StreamHalf[],
  norms: readonly Norm[],
  spaces: readonly Subspace[],
  foldsMeans: boolean,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  narrowed.embed(spaces[0]!);
  for (const [at, norm] of norms.entries()) {
    narrowed.norm(norm, spaces[at]!);
    readings.push(await readingOf(norm, spaces[at]!, foldsMeans));
  }
  for (const [at, half] of halves.entries()) {
    await narrowed.read(half, readings[at]!);
    narrowed.write(at, half, await writingOf(half.writer, readings[at]!, spaces[at + 1]!));
  }
  narrowed.widen(readings.at(-1)!);
  return readings;
}

/** throws 'bad-recipe' for a size that the model cannot have */
function sizeFor({ name }: Model, wide: number, { hidden, fraction }: HiddenOptions): number {
  const file = { file: name };
  if (hidden !== null && fraction !== null)
    throw fail('bad-recipe', 'Give {one} or {other}, not both.', { one: 'hidden', other: 'fraction' }, file);
  if (hidden === null && fraction === null)
    throw fail('bad-recipe', 'What to remove is not said: give {one} or {other}.', { one: 'hidden', other: 'fraction' }, file);
  if (hidden !== null && hidden > wide)
    throw fail('bad-recipe', 'A hidden size of {hidden} is more than the model has: {wide}.', { hidden, wide }, file);
  return hidden ?? Math.max(2, Math.round(wide * (1 - fraction!)));
}

const noteFor = ({ graph }: Model): Sentence[] =>
  graph
    ? []
    : [
        sentence(
          'No class of transformers holds this model: its layers have matrices on the way around attention and feed-forward network. Headroom opens it, and exports it to ONNX.',
        ),
      ];
