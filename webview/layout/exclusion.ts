// Which parts of a model the patterns of a step leave out, and what they become when a person puts one back.

/** Does a pattern name this organ, or one above it? The same rule as the core's, where "*" is anything. */
export function isNamed(id: string, pattern: string): boolean {
  const literals = pattern.split('*').map(literal => literal.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}($|\\.)`, 's').test(id);
}

/** A part as a pattern names it; it may take several. */
export interface Named {
  readonly globs: readonly string[];
}

export const isLeftOut = ({ globs }: Named, exclude: readonly string[]): boolean =>
  globs.every(glob => exclude.some(pattern => isNamed(glob, pattern)));

/** The patterns with what `globs` name left out too, in place of patterns that these cover. */
export function leavingOut(exclude: readonly string[], globs: readonly string[]): readonly string[] {
  const kept = exclude.filter(pattern => !globs.some(glob => isNamed(pattern, glob)));
  return [...kept, ...globs.filter(glob => !kept.some(pattern => isNamed(glob, pattern)))];
}

/** The patterns without these parts: one that names more than them becomes the names of the others, of `all`. */
export function puttingBack(exclude: readonly string[], parts: readonly Named[], all: readonly Named[]): readonly string[] {
  const back = new Set(parts.flatMap(({ globs }) => globs));
  const kept: string[] = [];
  for (const pattern of exclude) {
    const named = all.flatMap(({ globs }) => globs).filter(glob => isNamed(glob, pattern));
    const isTouched = [...back].some(glob => isNamed(glob, pattern));
    kept.push(...(isTouched ? named.filter(glob => !back.has(glob)) : [pattern]));
  }
  return [...new Set(kept)];
}
