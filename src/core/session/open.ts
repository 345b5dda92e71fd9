import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Anatomy } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import { openFileSource } from '../bytes/file.ts';
import { fileFolder } from '../bytes/folder.ts';
import type { ByteSource } from '../bytes/source.ts';
import { fail, sentence } from '../errors.ts';
import { openModel } from '../format/open.ts';
import type { Model } from '../model/model.ts';

/** A model that is open: its source must be closed by whoever opened it. */
export interface Opened {
  /** Absolute path of the model file. */
  readonly path: string;
  readonly folder: string;
  readonly model: Model;
  readonly anatomy: Anatomy;
  close(): Promise<void>;
}

/** Opens a model file, or the one model in a folder. Reads headers only. */
export async function openPath(given: string, signal?: AbortSignal): Promise<Opened> {
  const path = await modelFile(resolve(given));
  const source = await openFileSource(path);
  const sources: ByteSource[] = [source];
  const close = async () => void (await Promise.all(sources.map(each => each.close())));
  try {
    const folder = dirname(path);
    const beside = fileFolder(folder);
    // optimum keeps onnx/model.onnx below its config.json.
    const above = basename(folder) === 'onnx' ? fileFolder(dirname(folder)) : undefined;
    const remembering = {
      ...beside,
      open: async (name: string) => {
        const opened = (await beside.open(name)) ?? (name === 'config.json' ? await above?.open(name) : undefined);
        if (opened) sources.push(opened);
        return opened;
      },
      list: () => beside.list(),
    };
    const model = await openModel(source, remembering, signal);
    return { path, folder, model, anatomy: await detect(model, signal), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The names a model is looked for in a folder, most wanted first. */
const wanted = ['model.safetensors.index.json', 'model.safetensors', 'model.onnx', 'onnx/model.onnx'];

/** The model file a path means: itself, or the one in the folder. */
async function modelFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw fail('not-found', 'There is no file or folder at {path}.', { path }, { file: basename(path) });
  if (!found.isDirectory()) return path;
  for (const name of wanted) {
    const candidate = join(path, name);
    if (
      await stat(candidate).then(
        it => it.isFile(),
        () => false,
      )
    )
      return candidate;
  }
  const models = (await readdir(path)).filter(name => /\.(onnx|safetensors|safetensors\.index\.json)$/i.test(name));
  if (models.length === 1) return join(path, models[0]!);
  const detail = { file: basename(path), hint: sentence('Name the file itself.') };
  if (models.length === 0) throw fail('not-found', 'This folder holds no .onnx or .safetensors file.', {}, detail);
  throw fail(
    'not-found',
    'This folder holds {count} models: {names}.',
    { count: models.length, names: models.sort().slice(0, 5).join(', ') },
    detail,
  );
}
