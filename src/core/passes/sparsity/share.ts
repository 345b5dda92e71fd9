/** Which weights go: any, or all but some of each group of inputs (2:4 keeps two of four). */
export type Pattern = 'unstructured' | '2:4' | '4:8';

/** Inputs of an output that form a group, and how many of them stay; undefined where there are no groups. */
export const groupOf: Readonly<Record<Pattern, { readonly size: number; readonly kept: number } | undefined>> = {
  unstructured: undefined,
  '2:4': { size: 4, kept: 2 },
  '4:8': { size: 8, kept: 4 },
};

/** What part of a matrix goes. */
export interface Share {
  readonly pattern: Pattern;
  /** 0 to 1; patterns have their own. */
  readonly sparsity: number;
}

/** Weights of a matrix that become zeros: the same for every method, so that sizes are known before anything is computed. Inputs left over by a pattern stay. */
export function zerosOf(out: number, wide: number, { pattern, sparsity }: Share): number {
  const group = groupOf[pattern];
  return group ? out * Math.floor(wide / group.size) * (group.size - group.kept) : Math.round(out * wide * sparsity);
}
