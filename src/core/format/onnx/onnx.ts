import type { Format } from '../format.ts';
import { openOnnx } from './read.ts';

/** What writes is loaded when something is written: most files are only looked at. */
export const onnx: Format = {
  id: 'onnx',
  matches: beginsLikeModelProto,
  open: openOnnx,
  plan: async (...args) => (await import('./write.ts')).planOnnx(...args),
  write: async (...args) => (await import('./write.ts')).writeOnnx(...args),
};

/** ONNX has no magic number: the first field is one of ModelProto's, with the wire type it has there. */
function beginsLikeModelProto(head: Uint8Array): boolean {
  const [first, second] = head;
  if (first === undefined || second === undefined) return false;
  // The fields 1 to 8 and 14 have a tag of one byte, 20, 25 and 26 one of two.
  if (first < 128) return [0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].includes(first);
  return second === 0x01 && [0xa2, 0xca, 0xd2].includes(first);
}
