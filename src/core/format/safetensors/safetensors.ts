import type { Format } from '../format.ts';
import { largestHeader } from './header.ts';
import { openSafetensors } from './read.ts';
import { planSafetensors, writeSafetensors } from './write.ts';

export const safetensors: Format = {
  id: 'safetensors',
  matches: beginsLikeSafetensors,
  open: openSafetensors,
  plan: planSafetensors,
  write: writeSafetensors,
};

/** A plausible length of the header, then the brace that opens it; or the index of a sharded model. */
function beginsLikeSafetensors(head: Uint8Array, name: string): boolean {
  if (name.endsWith('.json')) return /^\s*\{/.test(new TextDecoder().decode(head));
  if (head.length < 9) return false;
  const length = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true));
  return length <= largestHeader && [0x7b, 0x20, 0x09, 0x0a, 0x0d].includes(head[8]!);
}
