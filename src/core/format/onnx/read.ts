import type { ByteSource, Folder } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import { readConfig } from '../config.ts';
import { Assembly } from './assemble.ts';
import { ExternalFiles } from './external.ts';
import { modelMessage } from './messages.ts';
import { walk } from './walk.ts';

/** Opens an ONNX file: its graph is read, its tensors are only located. */
export async function openOnnx(source: ByteSource, beside: Folder, signal?: AbortSignal): Promise<Model> {
  const wire = await walk(source, modelMessage, 0, source.byteLength, signal);
  if (wire.known === 0)
    throw fail('not-a-model', 'This is not an ONNX file: it holds nothing that belongs to a model.', undefined, {
      file: source.name,
      offset: 0,
    });
  const external = new ExternalFiles(source, beside);
  try {
    const assembly = new Assembly(source, external);
    return await assembly.model(wire, await readConfig(beside, signal), signal);
  } catch (error) {
    for (const file of external.sources) await file.close();
    throw error;
  }
}
