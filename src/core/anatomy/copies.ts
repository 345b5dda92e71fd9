import { type Layer, linearsIn, type Table, type TopOrgan } from './anatomy.ts';
import { sameMatrix } from './same.ts';

/** Matrices that a layer stores again although they equal those of an earlier one. */
export function layerCopies(layers: readonly Layer[]): Map<string, string> {
  const copies = new Map<string, string>();
  for (const layer of layers) {
    if (layer.stored === layer.index) continue;
    const first = linearsIn(layers[layer.stored]!);
    for (const [index, linear] of linearsIn(layer).entries())
      for (const part of ['weight', 'bias', 'scale', 'zeroPoint', 'sums', 'smoothing'] as const) {
        const [copy, original] = [linear[part], first[index]![part]];
        if (copy && original && copy.name !== original.name) copies.set(copy.name, original.name);
      }
  }
  return copies;
}

/** A decoder that holds the word table again, usually transposed, and quantized in its own way if at all. */
export async function decoderCopies(
  top: readonly TopOrgan[],
  word: Table | undefined,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const copies = new Map<string, string>();
  for (const { linear } of top) {
    if (!linear || !word || linear.weight === word.weight) continue;
    const table = { ...word, out: word.rows, in: word.width, transposed: false };
    if (await sameMatrix(table, linear, signal)) copies.set(linear.weight.name, word.weight.name);
  }
  return copies;
}
