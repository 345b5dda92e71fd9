import type { Linear } from '../../anatomy/anatomy.ts';
import { fail, sentence } from '../../errors.ts';
import { floatsOf } from '../../kernels/floats.ts';

/** The numbers of a linear as it acts, [out, in]. throws 'unsupported' for NaN and infinity */
export async function matrixOf({ id, weight, out, in: width, transposed }: Linear, signal?: AbortSignal): Promise<Float32Array> {
  const stored = await floatsOf(weight, 0, out * width, signal);
  checkFinite(stored, id);
  if (!transposed) return stored;
  const values = new Float32Array(out * width);
  for (let i = 0; i < width; i++) for (let o = 0; o < out; o++) values[o * width + i] = stored[i * out + o]!;
  return values;
}

/** throws 'unsupported', naming the organ */
export function checkFinite(values: Float32Array, id: string): void {
  for (let i = 0; i < values.length; i++)
    if (values[i]! - values[i]! !== 0)
      throw fail(
        'unsupported',
        '{id} holds NaN or infinity and cannot be factored.',
        { id },
        { hint: sentence('Leave it out with “exclude”.') },
      );
}
