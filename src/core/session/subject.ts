import { basename, dirname } from 'node:path';
import { fileFolder } from '../bytes/folder.ts';
import { fail, sentence } from '../errors.ts';
import type { Subject } from '../evaluation/subject.ts';
import { openPath } from './open.ts';

/** Opened first, so that a broken file, or one that points out of its folder, never reaches onnxruntime. */
export async function subjectOf(path: string, signal?: AbortSignal): Promise<Subject> {
  const opened = await openPath(path, signal);
  try {
    const { model, anatomy } = opened;
    if (model.format !== 'onnx')
      throw fail(
        'unsupported',
        'Weights alone cannot be run; an ONNX model can.',
        {},
        { file: model.name, hint: sentence('Export it first: headroom export.') },
      );
    // onnx/model.onnx keeps its tokenizer one folder up.
    const folder = fileFolder(opened.folder);
    const above = basename(opened.folder) === 'onnx' ? fileFolder(dirname(opened.folder)) : undefined;
    return {
      path: opened.path,
      folder: { open: async name => (await folder.open(name)) ?? (await above?.open(name)), list: folder.list },
      config: model.config,
      positions: anatomy.positions,
      vocabulary: anatomy.vocabulary,
      fileBytes: model.byteLength,
    };
  } finally {
    await opened.close();
  }
}
