import type { Model } from '../model/model.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Two tensors in one place are one; any other is known by its name. */
export const identityOf = ({ place, byteLength, name }: Tensor): string =>
  place && byteLength > 0 ? `${place.file}\0${place.offset}\0${byteLength}` : `\0${name}`;

/**
 * How many bytes of the model's files each tensor takes, by identity. What lies in one run takes its length. Typed fields of ONNX take
 * theirs for floats; integers are varints there, shorter than their packed form, and share what is left in proportion. The sum never
 * exceeds what the files hold for tensors.
 */
export function storedBytes(model: Model): { readonly bytes: ReadonlyMap<string, number>; readonly left: number } {
  let left = 0;
  for (const part of model.parts) if (part.kind === 'tensors' || part.kind === 'external') left += part.byteLength;
  const bytes = new Map<string, number>();
  const loose: Tensor[] = [];
  const take = (tensor: Tensor, wanted: number) => {
    const taken = Math.min(wanted, left);
    left -= taken;
    bytes.set(identityOf(tensor), taken);
  };
  for (const tensor of model.tensors.values()) {
    if (bytes.has(identityOf(tensor))) continue;
    if (tensor.place || dtypes[tensor.dtype].kind === 'float') take(tensor, tensor.byteLength);
    else loose.push(tensor);
  }
  const wanted = loose.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const share = wanted > left ? left / wanted : 1;
  for (const tensor of loose) take(tensor, Math.floor(tensor.byteLength * share));
  return { bytes, left };
}
