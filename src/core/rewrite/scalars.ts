import { held } from '../passes/computed.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Draft } from './draft.ts';

type Kind = 'fp32' | 'uint8' | 'int8' | 'int64';

/** Single numbers that a rewrite reads in many places: stored once each. */
export class Scalars {
  private readonly draft: Draft;
  private readonly names = new Map<string, string>();

  constructor(draft: Draft) {
    this.draft = draft;
  }

  named(wish: string, dtype: Kind, value: number): string {
    const known = this.names.get(wish);
    if (known) return known;
    const name = this.draft.addInitializer(wish, scalarTensor(dtype, value));
    this.names.set(wish, name);
    return name;
  }
}

/** Axes are a list, so an int64 has one axis; the others have none. */
function scalarTensor(dtype: Kind, value: number): Tensor {
  if (dtype === 'int64') return held('', dtype, [1], new BigInt64Array([BigInt(value)]));
  return held('', dtype, [], dtype === 'fp32' ? new Float32Array([value]) : new Uint8Array([value]));
}
