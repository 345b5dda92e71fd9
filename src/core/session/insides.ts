import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { FileSource } from '../bytes/file.ts';
import { openOutput } from '../bytes/output.ts';
import { fail, sentence, throwIfCancelled } from '../errors.ts';
import { originOf } from '../format/stored.ts';
import { exportedTensor } from '../report/export-tensor.ts';
import { headMeasures } from '../report/head-measures.ts';
import { heatMap } from '../report/heat-map.ts';
import { statistics } from '../report/statistics.ts';
import { valuesPage } from '../report/values.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { type Opened, openPath } from './open.ts';
import type { Insides, SessionOptions } from './types.ts';

/** What is read from the weights of one tensor, or of one head, on demand. */
export const insides: Omit<Insides, 'redundancy' | 'savings'> = {
  statistics: (path, name, options) =>
    withTensor(path, name, options, (tensor, { anatomy }) =>
      statistics(tensor, anatomy, options?.signal, bytesOf(tensor, options)),
    ),
  heatMap: (path, name, request, options) =>
    withTensor(path, name, options, (tensor, { anatomy }) => heatMap(tensor, anatomy, request, options?.signal)),
  values: (path, name, request, options) =>
    withTensor(path, name, options, tensor => valuesPage(tensor, request, options?.signal)),
  exportTensor: (path, name, kind, out, options) =>
    withTensor(path, name, options, async (tensor, opened) => {
      const target = await targetOf(out, opened, options?.force ?? false);
      return exportTo(target, tensor, kind, options);
    }),
  headMeasures: (path, options) =>
    withModel(path, options, ({ anatomy }) =>
      headMeasures(anatomy, options?.signal, (done, total, what) => options?.progress?.({ fraction: done / total, what })),
    ),
};

async function withModel<T>(path: string, options: SessionOptions | undefined, work: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await openPath(path, options?.signal);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

const withTensor = <T>(
  path: string,
  name: string,
  options: SessionOptions | undefined,
  work: (tensor: Tensor, opened: Opened) => Promise<T>,
): Promise<T> =>
  withModel(path, options, async opened => {
    const { tensors, name: file } = opened.model;
    const tensor = tensors.get(name);
    if (!tensor) throw fail('not-found', 'There is no tensor “{name}” in this model.', { name }, { file });
    return work(tensor, opened);
  });

/** Elements done, as bytes of the tensor. */
const bytesOf =
  (tensor: Tensor, options: SessionOptions | undefined) =>
  (fraction: number): void =>
    options?.progress?.({
      fraction,
      what: tensor.name,
      bytesDone: Math.round(fraction * tensor.byteLength),
      bytesTotal: tensor.byteLength,
    });

interface ExportTarget {
  readonly folder: string;
  readonly name: string;
  readonly force: boolean;
}

/** Refuses a file of the model itself, ever; and another one without being told to. */
async function targetOf(out: string, { model }: Opened, force: boolean): Promise<ExportTarget> {
  const path = resolve(out);
  const [folder, name] = [dirname(path), basename(path)];
  const there = await stat(path).catch(() => undefined);
  for (const source of there ? (originOf(model)?.sources ?? []) : []) {
    const file = source instanceof FileSource ? await stat(source.path).catch(() => undefined) : undefined;
    if (file && file.ino === there?.ino && file.dev === there.dev) {
      const detail = { file: name, hint: sentence('Choose another name.') };
      throw fail('output-is-input', 'The output is the input itself.', {}, detail);
    }
  }
  if (there?.isDirectory())
    throw fail('output-exists', 'This is a folder.', {}, { file: name, hint: sentence('Name a file in it.') });
  if (there && !force) {
    const detail = { file: name, hint: sentence('Choose another name, or allow replacing it (--force).') };
    throw fail('output-exists', '{file} exists. Choose another name, or replace it.', { file: name }, detail);
  }
  return { folder, name, force };
}

async function exportTo({ folder, name, force }: ExportTarget, tensor: Tensor, kind: 'npy' | 'csv', options?: SessionOptions) {
  const { widened, byteLength, chunks } = exportedTensor(tensor, kind, options?.signal);
  const output = await openOutput(folder, { overwrite: force });
  try {
    if (byteLength !== undefined) await output.reserve?.(byteLength);
    const sink = await output.create(name);
    const count = elementCount(tensor.shape);
    const report = bytesOf(tensor, options);
    for await (const { bytes, done } of chunks) {
      throwIfCancelled(options?.signal);
      await sink.write(bytes);
      report(count === 0 ? 1 : done / count);
    }
    throwIfCancelled(options?.signal);
    await output.commit();
    return { out: resolve(folder, name), byteLength: sink.bytesWritten, ...(widened && { widened }) };
  } catch (error) {
    await output.discard();
    throw error;
  }
}
