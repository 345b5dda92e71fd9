const fields: ReadonlySet<string> = new Set(['dtype', 'shape', 'data_offsets']);

/**
 * What the reference library refuses in a header and JSON.parse takes: a field of an entry twice, __metadata__ twice, and numbers
 * with a fraction or an exponent where a count belongs.
 * text     valid JSON with an object at the top
 * returns  what is wrong, if anything
 */
export function strictProblem(text: string): string | undefined {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:]|-?\d[^\s{}[\],:"]*/g;
  const inEntry = new Set<string>();
  let depth = 0;
  let entry = '';
  let field = '';
  let hasMetadata = false;
  let last = '';
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') depth++;
    else if (found === '}' || found === ']') depth--;
    else if (found === ':' && depth === 1) {
      entry = JSON.parse(last);
      inEntry.clear();
      if (entry === '__metadata__' && hasMetadata) return '__metadata__ is there twice';
      hasMetadata ||= entry === '__metadata__';
    } else if (found === ':' && depth === 2 && entry !== '__metadata__') {
      field = JSON.parse(last);
      if (fields.has(field) && inEntry.has(field)) return `“${entry}” has ${field} twice`;
      inEntry.add(field);
    } else if (depth === 3 && fields.has(field) && /^-?\d+[.eE]/.test(found))
      return `“${entry}” has the number ${found}, which is not a count`;
    last = found;
  }
  return undefined;
}
