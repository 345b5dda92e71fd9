import type { ByteSource } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';

/**
 * JSON.parse takes some hundred bytes of memory for two bytes of brackets. Five million brackets, colons and commas are half a million
 * tensors, more than any published file has, and stay under 600 MB.
 */
const mostTokens = 5_000_000;

/** The reference library's own (serde_json). */
const deepestNesting = 128;

/**
 * Looks at the brackets of a JSON text before it is parsed, without making anything of it.
 * throws  'limit' when parsing it could take too much memory
 */
export function checkStructure(json: Uint8Array, source: ByteSource, offset: number): void {
  let depth = 0;
  let tokens = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === quote) at = endOfText(json, at);
    else if (byte === 0x7b || byte === 0x5b) {
      tokens++;
      if (++depth > deepestNesting)
        throw fail(
          'limit',
          'Messages are nested more than {limit} deep.',
          { limit: deepestNesting },
          { file: source.name, offset: offset + at },
        );
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x2c || byte === 0x3a) tokens++;
    if (tokens > mostTokens)
      throw fail(
        'limit',
        'The header has more than {limit} entries. Headroom opens files of up to about half a million tensors.',
        { limit: mostTokens },
        { file: source.name, offset: offset + at },
      );
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** The offset of the quote that ends the text which begins at `start`. */
export function endOfText(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at;
}
