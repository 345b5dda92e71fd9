import { basename, dirname, join, sep } from 'node:path';
import type { Recipe } from '../protocol/messages.ts';

// Where a result goes unless the person says otherwise: beside the original, under a name that says what was done.

export type ModelFormat = 'onnx' | 'safetensors';

export const formatOf = (path: string): ModelFormat => (/\.onnx$/i.test(path) ? 'onnx' : 'safetensors');

/** "model" of model.onnx, model.safetensors, model.safetensors.index.json. */
export const stemOf = (path: string): string => basename(path).replace(/\.(onnx|safetensors|safetensors\.index\.json)$/i, '');

/**
 * model.onnx -> model.int8.onnx; model.safetensors -> model-int8/. A result that has a configuration of its own needs a folder: every
 * quantized checkpoint, and every graph whose heads, layers or other sizes change.
 */
export function outputFor(path: string, recipe: Recipe, format: ModelFormat = formatOf(path)): string {
  const stem = stemOf(path);
  const done = labelOf(recipe);
  const isBeside = format === 'onnx' && recipe.steps.every(({ pass }) => pass === 'quantize');
  return join(dirname(path), isBeside ? `${stem}.${done}.onnx` : `${stem}-${done}${sep}`);
}

/** The model file that a path to write means; a folder holds model.onnx or model.safetensors. */
export function writtenFile(out: string, format: ModelFormat): string {
  return /\.(onnx|safetensors)$/i.test(out) ? out : join(out, `model.${format}`);
}

/** The same path with a number that no file has: model.int8-2.onnx, model-int8-2/. */
export async function freeOutput(out: string, format: ModelFormat, exists: (path: string) => Promise<boolean>): Promise<string> {
  const [, start = out, end = ''] = /^(.*?)(\.onnx|\.safetensors|[/\\])?$/i.exec(out) ?? [];
  for (let number = 2; ; number += 1) {
    const candidate = `${start}-${number}${end}`;
    if (!(await exists(writtenFile(candidate, format)))) return candidate;
  }
}

/** "int8", "prune-heads-int8": what was done, in the order it was done. */
function labelOf({ steps }: Recipe): string {
  const labels = steps.map(({ pass, options }) => (pass === 'quantize' ? String(options.scheme ?? 'int8') : pass));
  return labels.join('-').replace(/[^\w.-]/g, '') || 'copy';
}
