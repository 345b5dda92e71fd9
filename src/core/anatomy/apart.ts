import { elementCount } from '../tensor/tensor.ts';
import type { Flow } from './flow.ts';
import { consumersOf } from './wiring.ts';

/**
 * Vectors that no node reads together with data: frequencies of rotary positions, ends of slices, what masks are made of. They are
 * buffers where no organ claims them.
 */
export function apartFromData({ wiring, root }: Flow): Set<string> {
  const [found, met] = [new Set<string>(), new Set<string>()];
  for (const [value, { name, shape }] of wiring.tensors) {
    if (shape.at(-1) !== elementCount(shape)) continue;
    const readers = consumersOf(wiring, value);
    const isData = (each: string) => root.has(each);
    const meetsData = readers.some(node => node.inputs.some(isData) || node.outputs.some(isData));
    if (readers.length > 0) (meetsData ? met : found).add(name);
  }
  for (const name of met) found.delete(name);
  return found;
}
