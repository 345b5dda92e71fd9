import type { Format } from '../format.ts';
export const planSafetensors: Format['plan'] = async () => {
  throw new Error('not yet');
};
export const writeSafetensors: Format['write'] = async () => {
  throw new Error('not yet');
};
