import { basename, dirname } from 'node:path';
import { fileFolder } from '../bytes/folder.ts';
import { type Sentence, sentence } from '../errors.ts';
import { type StoredShapes, storedShapes } from '../evaluation/products/stored-shapes.ts';
import type { Subject } from '../evaluation/subject.ts';
import { type Opened, openPath } from './open.ts';
import { temporaryGraph } from './temporary-graph.ts';

/** A subject on loan: `close` takes away what was made to run it. */
export interface OpenedSubject extends Subject {
  readonly notes: readonly Sentence[];
  close(): Promise<void>;
}

/**
 * Opened first, so that a broken file, or one that points out of its folder, never reaches onnxruntime. A checkpoint of weights is
 * exported to a temporary file.
 */
export async function subjectOf(path: string, signal?: AbortSignal): Promise<OpenedSubject> {
  const opened = await openPath(path, signal);
  try {
    const { model, anatomy } = opened;
    const isGraph = model.format === 'onnx';
    const made = isGraph ? undefined : await temporaryGraph(opened, signal);
    const shapes = await shapesOf(made?.path ?? opened, signal);
    return {
      path: made?.path ?? opened.path,
      name: basename(opened.path),
      folder: folderOf(opened),
      config: model.config,
      positions: anatomy.positions,
      vocabulary: anatomy.vocabulary,
      fileBytes: model.byteLength,
      ...(shapes && { shapes }),
      notes: isGraph
        ? []
        : [
            sentence('{file}: weights alone cannot be run; they were exported to ONNX for this, as export does.', {
              file: model.name,
            }),
          ],
      close: async () => made?.remove(),
    };
  } finally {
    await opened.close();
  }
}

/** Of the graph that is run. */
async function shapesOf(graph: string | Opened, signal?: AbortSignal): Promise<StoredShapes | undefined> {
  if (typeof graph !== 'string') return storedShapes(graph.model, signal);
  const opened = await openPath(graph, signal);
  try {
    return await storedShapes(opened.model, signal);
  } finally {
    await opened.close();
  }
}

/** Where a model's tokenizer lies: onnx/model.onnx keeps it one folder up. */
export function folderOf({ folder: path }: Opened): Subject['folder'] {
  const folder = fileFolder(path);
  const above = basename(path) === 'onnx' ? fileFolder(dirname(path)) : undefined;
  return { open: async name => (await folder.open(name)) ?? (await above?.open(name)), list: folder.list };
}
