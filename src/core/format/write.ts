import type { Output } from '../bytes/source.ts';
import type { Model } from '../model/model.ts';
import type { WriteOptions } from './format.ts';
import { type FileLayout, PieceWriter } from './pieces.ts';
import { originOf, verifySources } from './stored.ts';

/**
 * Writes the files of a layout, and then looks whether what they were made from is still what it was.
 * Unchanged side files that already lie in the folder of the output are left there.
 */
export async function writeLayout(
  model: Model,
  files: readonly FileLayout[],
  output: Output,
  options: WriteOptions = {},
): Promise<void> {
  const toWrite: FileLayout[] = [];
  for (const file of files)
    if (!(file.copyOf && file !== files[0] && (await output.holds?.(file.copyOf, file.name)))) toWrite.push(file);
  await output.reserve?.(toWrite.reduce((sum, file) => sum + file.byteLength, 0));
  const writer = new PieceWriter(toWrite, options);
  for (const file of toWrite) await writer.write(file, await output.create(file.name));
  await verifySources(model);
}

/** Whether a model still is what was read: its parts are the same objects. */
export function isUntouched(model: Model): boolean {
  const read = originOf(model)?.model;
  return (
    read !== undefined &&
    read.format === model.format &&
    read.tensors === model.tensors &&
    read.graph === model.graph &&
    read.metadata === model.metadata
  );
}
