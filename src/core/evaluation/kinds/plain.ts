import type { Kind } from './kind.ts';

/** Texts without labels: nothing is right or wrong, outputs are only compared with another model's. */
export const plain: Kind = {
  inputs: ({ text, pair }) => [pair === undefined ? { text } : { text, pair }],
  scorer: () => ({ add: () => undefined, metrics: async () => [] }),
};
