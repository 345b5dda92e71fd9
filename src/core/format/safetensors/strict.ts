import { type Sentence, sentence } from '../../errors.ts';
import { endOfText } from './structure.ts';

const fields = ['dtype', 'shape', 'data_offsets'];

/**
 * What the reference library refuses in a header and JSON.parse takes: a field of an entry twice, __metadata__ twice, and numbers
 * with a fraction or an exponent where a count belongs.
 * json     valid JSON with an object at the top
 * returns  what is wrong, if anything
 */
export function strictProblem(json: Uint8Array): Sentence | undefined {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const seen = new Set<string>();
  let [depth, textStart, textEnd] = [0, 0, 0];
  let [entryStart, entryEnd, isMetadata, hasMetadata] = [0, 0, false, false];
  let field: string | undefined;
  const name = () => textOf(text, entryStart, entryEnd);
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!;
    if (byte === quote) {
      textStart = at;
      at = endOfText(text, at);
      textEnd = at + 1;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === colon && depth === 1) {
      entryStart = textStart;
      entryEnd = textEnd;
      seen.clear();
      isMetadata = isText(text, textStart, textEnd, '__metadata__');
      if (isMetadata && hasMetadata) return sentence('The header cannot be read: __metadata__ is there twice.');
      hasMetadata ||= isMetadata;
    } else if (byte === colon && depth === 2 && !isMetadata) {
      field = fieldAt(text, textStart, textEnd);
      if (!field) continue;
      if (seen.has(field)) return sentence('The header cannot be read: “{name}” has {field} twice.', { name: name(), field });
      seen.add(field);
    } else if (depth === 3 && isFraction(byte) && field && !isMetadata)
      return sentence('The header cannot be read: “{name}” has a number in {field} that is not a count.', {
        name: name(),
        field,
      });
  }
  return undefined;
}

const quote = 0x22;
const colon = 0x3a;
const backslash = 0x5c;
/** A point, e or E: in valid JSON outside a text, part of a number (or of true and false, which are no counts either). */
const isFraction = (byte: number): boolean => byte === 0x2e || byte === 0x65 || byte === 0x45;

/** Which of an entry's fields the quoted text [start, end) names. */
function fieldAt(json: Buffer, start: number, end: number): string | undefined {
  for (const field of fields) if (isText(json, start, end, field)) return field;
  return undefined;
}

/** Whether the quoted text [start, end) says `word`, in ASCII: compared byte by byte, and decoded only where it has escapes. */
function isText(json: Buffer, start: number, end: number, word: string): boolean {
  const length = end - start - 2;
  for (let at = 0; at < length; at++) {
    const byte = json[start + 1 + at]!;
    if (byte === backslash) return textOf(json, start, end) === word;
    if (byte !== word.charCodeAt(at)) return false;
  }
  return length === word.length;
}

const textOf = (json: Buffer, start: number, end: number): string => JSON.parse(json.toString('utf8', start, end));
