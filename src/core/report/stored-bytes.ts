import type { Model } from '../model/model.ts';
import { storedLength } from '../tensor/bitmask.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What a tensor takes in the model's files. Two tensors in one place have one entry between them. */
export interface Stored {
  readonly tensor: Tensor;
  byteLength: number;
  /** The row that counts it, once one does. */
  owner?: string | undefined;
}

/**
 * How many bytes of the model's files each tensor takes. What lies in one run takes its length. Typed fields of ONNX take theirs for
 * floats; integers are varints there, shorter than their packed form, and share what is left in proportion. The sum never exceeds what
 * the files hold for tensors.
 */
export function storedBytes(model: Model): { readonly stored: ReadonlyMap<Tensor, Stored>; readonly left: number } {
  let left = 0;
  for (const part of model.parts) if (part.kind === 'tensors' || part.kind === 'external') left += part.byteLength;
  const stored = new Map<Tensor, Stored>();
  const places = new Places();
  const loose: Stored[] = [];
  const take = (entry: Stored, wanted: number) => {
    entry.byteLength = Math.min(wanted, left);
    left -= entry.byteLength;
  };
  for (const tensor of model.tensors.values()) {
    const fresh: Stored = { tensor, byteLength: 0, owner: undefined };
    const entry = places.firstAt(fresh);
    stored.set(tensor, entry);
    if (entry !== fresh) continue;
    if (tensor.place || dtypes[tensor.dtype].kind === 'float') take(entry, storedLength(tensor));
    else loose.push(entry);
  }
  const wanted = loose.reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
  const share = wanted > left ? left / wanted : 1;
  for (const entry of loose) take(entry, Math.floor(entry.tensor.byteLength * share));
  return { stored, left };
}

/** Who was first in a place: a file, an offset and a length. A tensor without a place, or without bytes, is alone. */
class Places {
  readonly #files = new Map<string, Map<number, Stored | Stored[]>>();

  firstAt(entry: Stored): Stored {
    const { place, byteLength } = entry.tensor;
    if (!place || byteLength === 0) return entry;
    let offsets = this.#files.get(place.file);
    if (!offsets) {
      offsets = new Map();
      this.#files.set(place.file, offsets);
    }
    const there = offsets.get(place.offset);
    if (!there) {
      offsets.set(place.offset, entry);
      return entry;
    }
    const all = Array.isArray(there) ? there : [there];
    const first = all.find(each => each.tensor.byteLength === byteLength);
    if (!first) offsets.set(place.offset, [...all, entry]);
    return first ?? entry;
  }
}
