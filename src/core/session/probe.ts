import type { Anatomy } from '../anatomy/anatomy.ts';
import { type Taps, taps } from '../anatomy/taps.ts';
import { fail } from '../errors.ts';
import type { Probe } from '../evaluation/probe/probe.ts';
import type { Subject } from '../evaluation/subject.ts';
import type { Graph } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import { openPath } from './open.ts';
import { temporaryModel } from './temporary-graph.ts';

/** A model with a graph, and where it can be looked at. */
export interface Inside {
  readonly model: Model & { readonly graph: Graph };
  readonly anatomy: Anatomy;
  readonly taps: Taps;
}

/** A probe on loan: `close` takes its file away. */
export interface OpenedProbe extends Probe {
  close(): Promise<void>;
}

/** Writes what `change` makes of a subject's model to a temporary file, to be run in the subject's place. */
export async function openProbe(subject: Subject, change: (inside: Inside) => Model, signal?: AbortSignal): Promise<OpenedProbe> {
  const opened = await openPath(subject.path, signal);
  try {
    const { model, anatomy } = opened;
    if (!hasGraph(model)) throw fail('unsupported', 'Only a model with a graph can be looked into.', {}, { file: model.name });
    const inside = { model, anatomy, taps: taps(model, anatomy) };
    const made = await temporaryModel(change(inside), signal);
    return {
      subject: { ...subject, path: made.path },
      anatomy,
      taps: inside.taps,
      outputs: model.graph.outputs.map(({ name }) => name),
      close: made.remove,
    };
  } finally {
    await opened.close();
  }
}

const hasGraph = (model: Model): model is Inside['model'] => model.graph !== undefined;
