import { type Sentence, sentence } from '../../errors.ts';
import { endOfText } from './structure.ts';

const fields: ReadonlySet<string> = new Set(['dtype', 'shape', 'data_offsets']);

/**
 * What the reference library refuses in a header and JSON.parse takes: a field of an entry twice, __metadata__ twice, and numbers
 * with a fraction or an exponent where a count belongs.
 * json     valid JSON with an object at the top
 * returns  what is wrong, if anything
 */
export function strictProblem(json: Uint8Array): Sentence | undefined {
  const inEntry = new Set<string>();
  let [depth, textStart, textEnd] = [0, 0, 0];
  let [entry, field] = ['', ''];
  let hasMetadata = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === quote) {
      textStart = at;
      at = endOfText(json, at);
      textEnd = at + 1;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === colon && depth === 1) {
      entry = textOf(json, textStart, textEnd);
      inEntry.clear();
      if (entry === '__metadata__' && hasMetadata) return sentence('The header cannot be read: __metadata__ is there twice.');
      hasMetadata ||= entry === '__metadata__';
    } else if (byte === colon && depth === 2 && entry !== '__metadata__') {
      field = textOf(json, textStart, textEnd);
      if (!fields.has(field)) continue;
      if (inEntry.has(field)) return sentence('The header cannot be read: “{name}” has {field} twice.', { name: entry, field });
      inEntry.add(field);
    } else if (depth === 3 && isFraction(byte) && fields.has(field) && entry !== '__metadata__')
      return sentence('The header cannot be read: “{name}” has a number in {field} that is not a count.', { name: entry, field });
  }
  return undefined;
}

const quote = 0x22;
const colon = 0x3a;
/** A point, e or E: in valid JSON outside a text, part of a number (or of true and false, which are no counts either). */
const isFraction = (byte: number): boolean => byte === 0x2e || byte === 0x65 || byte === 0x45;

const textOf = (json: Uint8Array, start: number, end: number): string =>
  JSON.parse(Buffer.from(json.buffer, json.byteOffset + start, end - start).toString());
