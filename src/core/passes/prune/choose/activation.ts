import type { Fit } from '../fit.ts';

// I inputs, O outputs, S inputs of one unit

/**
 * How much what each unit adds to the output varies over tokens, as a share of what the norm behind reads: its mean is nothing that a
 * bias could not give. `width` inputs belong to a unit. [units]
 */
export function contributions({ gram_II, weight_IO, inputs, outputs, scale }: Fit, width: number): number[] {
  const found: number[] = [];
  for (let start = 0; start < inputs; start += width) {
    let sum = 0;
    // trace(W_S^T C_SS W_S)
    for (let i = start; i < start + width; i++)
      for (let j = start; j < start + width; j++) {
        const together = gram_II[i * inputs + j]!;
        if (together === 0) continue;
        let product = 0;
        for (let o = 0; o < outputs; o++) product += weight_IO[i * outputs + o]! * weight_IO[j * outputs + o]!;
        sum += together * product;
      }
    found.push(sum / scale);
  }
  return found;
}
