/** Does a pattern name this organ, or one above it? "*" is anything, dots included: "encoder.layer.3" and "*.query" both name encoder.layer.3.attention.self.query. */
export function matchesGlob(id: string, glob: string): boolean {
  const pattern = glob.split('*').map(literal => literal.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}($|\\.)`, 's').test(id);
}

/** Included by one pattern at least, and excluded by none. No pattern at all includes everything. */
export const isChosen = (id: string, include: readonly string[], exclude: readonly string[]): boolean =>
  (include.length === 0 || include.some(glob => matchesGlob(id, glob))) && !exclude.some(glob => matchesGlob(id, glob));
