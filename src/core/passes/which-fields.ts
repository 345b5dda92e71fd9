import { sentence } from '../errors.ts';
import type { Field } from './pass.ts';

/** Which organs a pass may change, by globs of their ids: the same for all that go matrix by matrix. */
export const whichFields = {
  include: {
    kind: 'globs',
    label: sentence('Only these'),
    help: sentence('Patterns of names, such as encoder.layer.0 or *.query. Empty: everything.'),
    default: [],
  },
  exclude: {
    kind: 'globs',
    label: sentence('Not these'),
    help: sentence('Patterns of names that are left as they are.'),
    default: [],
  },
} as const satisfies Record<string, Field>;
