import { throwIfCancelled } from '../errors.ts';
import { batches } from './batches.ts';
import { DriftCollector } from './drift.ts';
import { feeds } from './inputs.ts';
import type { Scorer } from './kinds/kind.ts';
import { allFinite, type TextOutput, textOutput, wantedOf } from './outputs.ts';
import type { Input, Prepared } from './subject.ts';
import type { Task } from './task.ts';

/** Outputs of a batch at once: what a masked language model says of 32 texts would take half a gigabyte. */
const mostOutputBytes = 128 * 2 ** 20;

export interface RunOptions {
  /** Texts run together. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Texts run, of all, and the model that is about to be loaded or run: whoever hears this and no more knows which one brought the
   * process down.
   */
  readonly progress?: (done: number, total: number, model: string) => void;
}

export interface Ran {
  /** Texts whose outputs hold NaN or infinity, of each model. */
  readonly nonFinite: readonly number[];
  readonly drift: DriftCollector;
}

/** Runs all texts through each model, batch by batch: outputs are handed to the scorers, compared, and let go. */
export async function runTexts(
  prepared: readonly Prepared[],
  texts: readonly Input[],
  { pooling }: Task,
  scorers: readonly (Scorer | undefined)[],
  { batch, signal, progress }: RunOptions,
): Promise<Ran> {
  const nonFinite = prepared.map(() => 0);
  const drift = new DriftCollector();
  const once = distinct(texts);
  const lengths = once.map(([first]) => prepared[0]!.encodings[first!]!.ids.length);
  let done = 0;
  for (const chosen of batches(lengths, sizeOf(prepared, batch), tokensOf(prepared))) {
    throwIfCancelled(signal);
    const groups = chosen.map(index => once[index]!);
    const places = groups.map(([first]) => first!);
    const outputs: TextOutput[][] = [];
    for (const [index, each] of prepared.entries()) {
      progress?.(done, texts.length, each.runner.name);
      const ofBatch = await runBatch(each, places, pooling);
      outputs.push(ofBatch);
      for (const [i, output] of ofBatch.entries()) {
        for (const place of groups[i]!) scorers[index]?.add(place, output);
        if (!allFinite(output.values)) nonFinite[index]! += groups[i]!.length;
      }
    }
    const [after, before] = outputs;
    for (const [i, group] of groups.entries()) {
      if (before) for (const place of group) drift.add(place, texts[place]!.text, before[i]!, after![i]!);
      done += group.length;
    }
  }
  return { nonFinite, drift };
}

/** A model of fixed batch takes no more. */
const sizeOf = (prepared: readonly Prepared[], batch: number): number =>
  Math.min(batch, ...prepared.map(it => it.inputs.fixedBatch ?? batch));

const tokensOf = (prepared: readonly Prepared[]): number =>
  mostOutputBytes / 4 / Math.max(1, ...prepared.map(({ chosen }) => (chosen.isPerToken ? chosen.classes : 1)));

/** Places of the same text together: each is run once. */
function distinct(texts: readonly Input[]): number[][] {
  const found = new Map<string, number[]>();
  for (const [place, { text, pair, words }] of texts.entries()) {
    const key = words ? words.join('\n') : pair === undefined ? text : `${text}\0${pair}`;
    const same = found.get(key);
    if (same) same.push(place);
    else found.set(key, [place]);
  }
  return [...found.values()];
}

async function runBatch(
  { runner, inputs, chosen, encodings, tokenizer, firstPosition }: Prepared,
  places: readonly number[],
  pooling: Task['pooling'],
): Promise<TextOutput[]> {
  const rows = places.map(place => encodings[place]!);
  const results = await runner.run(feeds(inputs, rows, tokenizer.pad, firstPosition).feeds, wantedOf(chosen));
  return rows.map((row, b) => textOutput(results, chosen, b, row.ids.length, pooling));
}
