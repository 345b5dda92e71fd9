/** What is known of a value without running: its shape, and its numbers where it is a small tensor of integers (a shape, an index). */
export interface Known {
  readonly shape: readonly number[];
  readonly numbers?: readonly number[];
}

/** A larger tensor of integers is no shape. */
export const mostNumbers = 64;

export const known = (shape: readonly number[], numbers?: readonly number[]): Known =>
  numbers && numbers.length <= mostNumbers ? { shape, numbers } : { shape };

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** NumPy's rule: from the right, sizes of 1 stretch. undefined where they do not fit. */
export function broadcast(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map(it => it.length));
  const found: number[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const sizes = new Set(shapes.map(it => it.at(-axis) ?? 1).filter((_, i) => shapes[i]!.length >= axis));
    sizes.delete(1);
    if (sizes.size > 1) return undefined;
    found.unshift([...sizes][0] ?? 1);
  }
  return found;
}
