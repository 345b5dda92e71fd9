import { HeadroomError, type Sentence, sentence } from '../errors.ts';
import { firstNonFinite, places } from '../evaluation/probe/first-non-finite.ts';
import { layerDrift, type ProbeOptions } from '../evaluation/probe/layer-drift.ts';
import { hiddenStates } from '../evaluation/probe/probe.ts';
import { probedModel } from '../evaluation/probe/probed-model.ts';
import type { Evaluation } from '../evaluation/report.ts';
import type { Runtime } from '../evaluation/runtime.ts';
import type { Subject } from '../evaluation/subject.ts';
import type { Task } from '../evaluation/task.ts';
import { openProbe } from './probe.ts';

/**
 * What a second run with values from the inside adds to an evaluation: drift by layer where `layers` asks for it, and where NaN comes
 * from where outputs hold it. What cannot be looked into is a note; the evaluation stands without it.
 */
export async function lookInside(
  found: Evaluation,
  [subject, against]: readonly Subject[],
  task: Task,
  runtime: Runtime,
  { layers, ...options }: ProbeOptions & { readonly layers: boolean },
): Promise<Evaluation> {
  const notes: Sentence[] = [];
  const noted = <T>(looking: Promise<T>): Promise<T | undefined> =>
    looking.catch((error: unknown) => {
      if (!(error instanceof HeadroomError) || error.code === 'cancelled') throw error;
      notes.push(sentence('The inside of the models could not be looked at: {cause}', { cause: error.message }));
      return undefined;
    });
  const drift = layers && against ? await noted(driftOf(subject!, against, task, runtime, options)) : undefined;
  const first = found.nonFinite > 0 ? await noted(nonFiniteOf(subject!, task, runtime, options)) : undefined;
  return {
    ...found,
    ...(drift && { layers: drift }),
    ...(first !== undefined && { firstNonFinite: first }),
    notes: [...found.notes, ...notes],
  };
}

async function driftOf(subject: Subject, against: Subject, task: Task, runtime: Runtime, options: ProbeOptions) {
  const states = (each: Subject) =>
    openProbe(
      each,
      ({ model, taps }) =>
        probedModel(
          model,
          hiddenStates(taps).map(({ value }) => value),
        ),
      options.signal,
    );
  const probe = await states(subject);
  try {
    const other = await states(against);
    try {
      return await layerDrift(probe, other, task, runtime, options);
    } finally {
      await other.close();
    }
  } finally {
    await probe.close();
  }
}

async function nonFiniteOf(subject: Subject, task: Task, runtime: Runtime, options: ProbeOptions) {
  const change: Parameters<typeof openProbe>[1] = inside =>
    probedModel(
      inside.model,
      places(inside).map(({ value }) => value),
    );
  const probe = await openProbe(subject, change, options.signal);
  try {
    return await firstNonFinite(probe, task, runtime, options);
  } finally {
    await probe.close();
  }
}
