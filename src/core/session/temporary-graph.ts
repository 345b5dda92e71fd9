import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOutput } from '../bytes/output.ts';
import { guardFile, guardFolder, release } from '../bytes/temporary.ts';
import { throwIfCancelled } from '../errors.ts';
import { onnx } from '../format/onnx/onnx.ts';
import type { Model } from '../model/model.ts';
import { asGraph } from './as-graph.ts';
import type { Opened } from './open.ts';
import { poolingOf } from './pooling.ts';

/** A graph on the disk, for as long as it is run. */
export interface TemporaryGraph {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Writes a checkpoint as an ONNX model into a folder of the system's temporary one; gone after `remove`, and when the process ends.
 * throws  'unsupported' for what no graph is made for, 'cancelled', 'disk-full': nothing is left then
 */
export async function temporaryGraph(input: Opened, signal?: AbortSignal): Promise<TemporaryGraph> {
  const body = await asGraph(input, (await poolingOf(input.folder)).pooling, signal);
  return temporaryModel(body.model, signal);
}

/** The same for a model that has a graph, as it was changed to be run. */
export async function temporaryModel(model: Model, signal?: AbortSignal): Promise<TemporaryGraph> {
  const folder = await mkdtemp(join(tmpdir(), `headroom-${process.pid}-`));
  guardFolder(folder);
  const guarded = [folder];
  const remove = async () => {
    await rm(folder, { recursive: true, force: true });
    guarded.forEach(release);
  };
  const name = 'model.onnx';
  const output = await openOutput(folder, { overwrite: false });
  try {
    await onnx.write(model, output, name, { ...(signal && { signal }) });
    throwIfCancelled(signal);
    await output.commit();
    for (const file of await readdir(folder)) {
      guardFile(join(folder, file));
      guarded.push(join(folder, file));
    }
    return { path: join(folder, name), remove };
  } catch (error) {
    await output.discard();
    await remove();
    throw error;
  }
}
