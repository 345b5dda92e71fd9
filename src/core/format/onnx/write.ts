import type { Format } from '../format.ts';
export const planOnnx: Format['plan'] = async () => {
  throw new Error('not yet');
};
export const writeOnnx: Format['write'] = async () => {
  throw new Error('not yet');
};
