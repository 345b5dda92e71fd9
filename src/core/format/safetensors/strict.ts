import { type Sentence, sentence } from '../../errors.ts';

const fields: ReadonlySet<string> = new Set(['dtype', 'shape', 'data_offsets']);

/**
 * What the reference library refuses in a header and JSON.parse takes: a field of an entry twice, __metadata__ twice, and numbers
 * with a fraction or an exponent where a count belongs.
 * text     valid JSON with an object at the top
 * returns  what is wrong, if anything
 */
export function strictProblem(text: string): Sentence | undefined {
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
      if (entry === '__metadata__' && hasMetadata) return sentence('The header cannot be read: __metadata__ is there twice.');
      hasMetadata ||= entry === '__metadata__';
    } else if (found === ':' && depth === 2 && entry !== '__metadata__') {
      field = JSON.parse(last);
      if (fields.has(field) && inEntry.has(field))
        return sentence('The header cannot be read: “{name}” has {field} twice.', { name: entry, field });
      inEntry.add(field);
    } else if (depth === 3 && fields.has(field) && /^-?\d+[.eE]/.test(found))
      return sentence('The header cannot be read: “{name}” has the number {number}, which is not a count.', {
        name: entry,
        number: found,
      });
    last = found;
  }
  return undefined;
}
