import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fail, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { Opened } from './open.ts';

/** Where a result goes: a model file in a folder. */
export interface Target {
  readonly path: string;
  readonly folder: string;
  readonly name: string;
  readonly format: Model['format'];
}

/** `out` ending in .onnx or .safetensors is the file; anything else is a folder for model.onnx or model.safetensors. */
export async function targetOf(out: string, format: Model['format'] | undefined, input: Opened): Promise<Target> {
  const path = resolve(out);
  const isFolder =
    /[/\\]$/.test(out) ||
    (await stat(path).then(
      it => it.isDirectory(),
      () => false,
    ));
  const ending = isFolder
    ? undefined
    : ({ '.onnx': 'onnx', '.safetensors': 'safetensors' } as const)[extname(path).toLowerCase()];
  const chosen = format ?? ending ?? input.model.format;
  if (ending && ending !== chosen) {
    const detail = { file: basename(path), hint: sentence('Choose another name, or another format.') };
    throw fail('usage', 'The name ends in .{ending}, but the format is {format}.', { ending, format: chosen }, detail);
  }
  if (ending) return { path, folder: dirname(path), name: basename(path), format: chosen };
  const name = `model.${chosen}`;
  return { path: join(path, name), folder: path, name, format: chosen };
}

/** Refuses to write over the input, ever; and over another file without being told to. */
export async function checkTarget(target: Target, input: Opened, force: boolean): Promise<void> {
  const [there, source] = await Promise.all([stat(target.path).catch(() => undefined), stat(input.path)]);
  const same = there && there.ino === source.ino && there.dev === source.dev;
  if (same || target.path === input.path) {
    throw fail(
      'output-is-input',
      'The output is the input itself.',
      {},
      { file: target.name, hint: sentence('Choose another name.') },
    );
  }
  if (there && !force) {
    const detail = { file: target.name, hint: sentence('Choose another name, or allow replacing it (--force).') };
    throw fail('output-exists', '{file} exists. Choose another name, or replace it.', { file: target.name }, detail);
  }
}
