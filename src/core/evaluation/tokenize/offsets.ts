/**
 * Where each token stands in its text: [start, end) in UTF-16 units. Tokens are matched from left to right, without the tokenizer's
 * marks, as it may have lowered and stripped them; a token that is not found ([UNK]) stands where the one before it ends.
 */
export function offsets(tokens: readonly string[], text: string): (readonly [number, number])[] {
  const { plain, places } = plainOf(text);
  let cursor = 0;
  return tokens.map(token => {
    const wanted = plainOf(surface(token)).plain;
    while (cursor < plain.length && /\s/.test(plain[cursor]!)) cursor++;
    const found = wanted === '' ? -1 : plain.indexOf(wanted, cursor);
    // A match far off is another word: this one is not in the text as it is written.
    if (found < 0 || found - cursor > farthest) return [places[cursor]!, places[Math.min(cursor + 1, plain.length)]!] as const;
    cursor = found + wanted.length;
    return [places[found]!, places[cursor - 1]! + widthAt(text, places[cursor - 1]!)] as const;
  });
}

/** Characters that an unknown token may have left out before the next one. */
const farthest = 40;

/** Letters as WordPiece and most SentencePiece vocabularies hold them: compatibility forms taken apart, marks dropped, small. */
function plainOf(text: string): { plain: string; places: number[] } {
  let plain = '';
  const places: number[] = [];
  let place = 0;
  for (const character of text) {
    const letters = character
      .normalize('NFKD')
      .replace(/\p{Mn}/gu, '')
      .toLowerCase();
    for (let i = 0; i < letters.length; i++) places.push(place);
    plain += letters;
    place += character.length;
  }
  places.push(place);
  return { plain, places };
}

const widthAt = (text: string, place: number): number => (text.codePointAt(place)! > 0xffff ? 2 : 1);

/** Without "##", "▁" and byte-level's spelling of spaces and bytes. */
function surface(token: string): string {
  if (token.startsWith('##') && token.length > 2) return token.slice(2);
  if (token.startsWith('▁')) return token.replaceAll('▁', ' ').trim();
  const bytes = [...token].map(it => byteOf.get(it));
  if (/^[\x21-\x7e]*$/.test(token) || bytes.some(byte => byte === undefined)) return token;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes as number[])).trim();
  } catch {
    // A letter beyond ASCII that stands for itself.
    return token;
  }
}

/** GPT-2's byte alphabet: printable Latin-1 stands for itself, the other bytes are written from U+0100 on. */
const byteOf = new Map<string, number>();
for (let byte = 0, next = 0x100; byte < 256; byte++) {
  const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteOf.set(String.fromCharCode(isPrintable ? byte : next++), byte);
}
