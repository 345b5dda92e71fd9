import type { Format } from './format.ts';
import { onnx } from './onnx/onnx.ts';
import { safetensors } from './safetensors/safetensors.ts';

/** Every format, in the order in which they are asked. To add one: a folder, and a line here. */
export const formats: readonly Format[] = [safetensors, onnx];

/** throws RangeError for an id that is not in the registry: a mistake of the program, not of a file */
export function formatOf(id: Format['id']): Format {
  const format = formats.find(candidate => candidate.id === id);
  if (!format) throw new RangeError(`no format ${id}`);
  return format;
}
