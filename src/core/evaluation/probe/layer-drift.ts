import { throwIfCancelled } from '../../errors.ts';
import { batches } from '../batches.ts';
import { textsOf } from '../evaluate.ts';
import type { LayerDrift } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { type Prepared, prepare, tokenizersOf } from '../subject.ts';
import type { Task } from '../task.ts';
import { byNumber, monotoneMatch, numbersKept } from './align.ts';
import { centredKernel, ckaOf } from './cka.ts';
import { DriftOfLayer } from './drift-of-layer.ts';
import { meanCosine } from './mean-cosine.ts';
import { type HiddenState, hiddenStates, type Probe } from './probe.ts';
import { runStates, type TokenRows } from './run-states.ts';

// T tokens, C width

export interface ProbeOptions {
  readonly threads: number;
  /** Texts run together, at most. */
  readonly batch: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
}

/** A few hundred texts say where a model drifts; more only say it again. */
const mostTexts = 256;

/** Numbers that all outputs of a batch may hold: 64 MB. */
const mostNumbers = 16 * 2 ** 20;

/** Tokens that layers are held against each other with, where their numbers differ. */
const tokensToAlign = 256;

/**
 * How far what leaves each layer of a model lies from what leaves the same layer of another, from the embeddings up. Layers of models
 * with as many of them are the same by their place; otherwise by the numbers that names have kept, else by what is most alike in order.
 * [] where one of them has no layers. Texts that the two tokenizers cut differently are left out.
 */
export async function layerDrift(
  model: Probe,
  against: Probe,
  task: Task,
  runtime: Runtime,
  options: ProbeOptions,
): Promise<LayerDrift[]> {
  const [after, before] = [hiddenStates(model.taps), hiddenStates(against.taps)];
  if (after.length === 0 || before.length === 0) return [];
  const texts = spread(textsOf(task), mostTexts);
  const subjects = [model.subject, against.subject];
  const tokenizers = await tokenizersOf(subjects);
  const prepared: Prepared[] = [];
  try {
    for (const [index, subject] of subjects.entries())
      prepared.push(await prepare(subject, tokenizers[index]!, texts, task, runtime, options.threads));
    const [first, second] = prepared as [Prepared, Prepared];
    const lengths = first.encodings.map(({ ids }) => ids.length);
    const same = lengths.flatMap((length, place) => (length === second.encodings[place]!.ids.length ? [place] : []));
    const run = async (places: readonly number[]) => {
      const [found, other] = [
        await runStates(first, places, after.map(valueIn)),
        await runStates(second, places, before.map(valueIn)),
      ];
      return places.map((_, index) => [found[index]!, other[index]!] as const);
    };
    const pairs = await aligned([model, after], [against, before], () => run(same.slice(0, 8)));
    const drifts = pairs.map(([a, b]) => new DriftOfLayer(after[a]!, before[b]!));
    const numbers = Math.max(...lengths) * (after.length * model.anatomy.hidden + before.length * against.anatomy.hidden);
    const size = Math.max(1, Math.min(options.batch, Math.floor(mostNumbers / Math.max(1, numbers))));
    const fixed = Math.min(...prepared.map(it => it.inputs.fixedBatch ?? size));
    let done = 0;
    for (const batch of batches(
      same.map(place => lengths[place]!),
      Math.min(size, fixed),
    )) {
      throwIfCancelled(options.signal);
      for (const [found, other] of await run(batch.map(place => same[place]!)))
        for (const [index, [a, b]] of pairs.entries()) drifts[index]!.add(found[a]!, other[b]!);
      done += batch.length;
      options.progress?.(done, same.length);
    }
    return drifts.map(each => each.report());
  } finally {
    for (const { runner } of prepared) await runner.close();
  }
}

const valueIn = ({ value }: HiddenState): string => value;

/** At most `most` of them, at even distances. */
const spread = <T>(all: readonly T[], most: number): T[] =>
  all.length <= most ? [...all] : Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)]!);

type Side = readonly [Probe, readonly HiddenState[]];
type Sample = readonly (readonly [readonly TokenRows[], readonly TokenRows[]])[];

/** Pairs of places in the two lists of hidden states: embeddings with embeddings, and each layer of the one with fewer with one of the other. */
async function aligned(
  [model, after]: Side,
  [against, before]: Side,
  sample: () => Promise<Sample>,
): Promise<[number, number][]> {
  const ends = ([after, before] as const).map(states => states.findIndex(({ index }) => index === -1));
  const embeddings: [number, number][] = ends.every(place => place >= 0) ? [[ends[0]!, ends[1]!]] : [];
  const layersOf = (states: readonly HiddenState[]) => states.flatMap(({ index }, place) => (index >= 0 ? [place] : []));
  const [mine, theirs] = [layersOf(after), layersOf(before)];
  if (mine.length === theirs.length) return [...embeddings, ...mine.map((place, i): [number, number] => [place, theirs[i]!])];
  const isFewer = mine.length < theirs.length;
  const [fewer, more] = isFewer ? [mine, theirs] : [theirs, mine];
  const [few, many] = (isFewer ? [model, against] : [against, model]).map(({ anatomy }) => numbersKept(anatomy));
  const kept = byNumber(few, many ?? more.map((_, index) => index));
  const match = kept ?? monotoneMatch(await similarities(fewer, more, isFewer, sample));
  return [
    ...embeddings,
    ...fewer.map((place, i): [number, number] => (isFewer ? [place, more[match[i]!]!] : [more[match[i]!]!, place])),
  ];
}

/** Of every layer of the one with every layer of the other: cosines of token vectors, or CKA where widths differ. */
async function similarities(
  fewer: readonly number[],
  more: readonly number[],
  isFewer: boolean,
  sample: () => Promise<Sample>,
): Promise<number[][]> {
  const texts = await sample();
  const rowsOf = (side: 0 | 1, place: number) => joined(texts.map(text => text[side][place]!));
  const [few, many] = [fewer.map(place => rowsOf(isFewer ? 0 : 1, place)), more.map(place => rowsOf(isFewer ? 1 : 0, place))];
  if (few[0]?.width === many[0]?.width) return few.map(a => many.map(b => meanCosine(a, b)));
  const kernels = (all: readonly TokenRows[]) => all.map(({ rows_TC, tokens }) => centredKernel(rows_TC, tokens));
  const [a, b] = [kernels(few), kernels(many)];
  return a.map(kernel => b.map(other => ckaOf(kernel, other)));
}

/** The tokens of several texts as one, up to the number that is needed. */
function joined(texts: readonly TokenRows[]): TokenRows {
  const width = texts[0]?.width ?? 0;
  const rows_TC = new Float32Array(texts.reduce((sum, { rows_TC }) => sum + rows_TC.length, 0));
  let at = 0;
  for (const { rows_TC: rows } of texts) {
    rows_TC.set(rows, at);
    at += rows.length;
  }
  const tokens = Math.min(tokensToAlign, width === 0 ? 0 : at / width);
  return { rows_TC: rows_TC.subarray(0, tokens * width), tokens, width };
}
