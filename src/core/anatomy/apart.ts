import { elementCount } from '../tensor/tensor.ts';
import type { Flow } from './flow.ts';
import { consumersOf } from './wiring.ts';

/**
 * Vectors that no node reads together with data: frequencies of rotary positions, ends of slices, what masks are made of. They are
 * buffers where no organ claims them.
 */
export function apartFromData({ wiring, root }: Flow): Set<string> {
  const found = new Set<string>();
  for (const { name, shape } of wiring.tensors.values()) {
    if (shape.at(-1) !== elementCount(shape)) continue;
    const readers = consumersOf(wiring, name);
    const isData = (value: string) => root.has(value);
    const meetsData = readers.some(node => node.inputs.some(isData) || node.outputs.some(isData));
    if (readers.length > 0 && !meetsData) found.add(name);
  }
  return found;
}
