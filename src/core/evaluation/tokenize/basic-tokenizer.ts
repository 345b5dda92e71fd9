export interface Basic {
  readonly lowerCase: boolean;
  /** Default: as `lowerCase`. */
  readonly stripAccents?: boolean;
  readonly splitChinese: boolean;
}

/**
 * Splits a text into words and single punctuation marks, as BERT's BasicTokenizer does before WordPiece.
 * source  Devlin et al., BERT, tokenization.py: clean, space around Chinese characters, lower case, strip accents, split on punctuation
 */
export function basicTokens(text: string, { lowerCase, stripAccents = lowerCase, splitChinese }: Basic): string[] {
  let clean = '';
  for (const character of text) {
    if (isDropped(character)) continue;
    if (isSpace(character)) clean += ' ';
    else clean += splitChinese && isChinese(character.codePointAt(0)!) ? ` ${character} ` : character;
  }
  // Accents go before the case, so that a capital I with a dot becomes i and not i with a dot of its own.
  if (stripAccents) clean = clean.normalize('NFD').replace(/\p{Mn}/gu, '');
  if (lowerCase) clean = clean.toLowerCase();
  return clean.split(' ').flatMap(splitOnPunctuation);
}

function splitOnPunctuation(word: string): string[] {
  return word === '' ? [] : (word.match(punctuationOrRun) ?? []);
}

/** ASCII marks that Unicode calls symbols ($ + < = > ^ ` | ~) count as punctuation too. */
const mark = String.raw`\p{P}$+<=>^\x60|~`;
const punctuationOrRun = new RegExp(`[${mark}]|[^${mark}]+`, 'gu');

const isSpace = (character: string): boolean => /[\t\n\r\p{Zs}\u2028\u2029]/u.test(character);

/** NUL, the replacement character, and control characters that are no white space. */
const isDropped = (character: string): boolean =>
  character === '\0' || character === '\ufffd' || (!/[\t\n\r]/.test(character) && /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(character));

/** The CJK Unified Ideographs blocks. Not Hangul, nor Hiragana or Katakana: those are written with spaces or kept whole. */
const isChinese = (code: number): boolean =>
  (code >= 0x4e00 && code <= 0x9fff) ||
  (code >= 0x3400 && code <= 0x4dbf) ||
  (code >= 0x20000 && code <= 0x2a6df) ||
  (code >= 0x2a700 && code <= 0x2b73f) ||
  (code >= 0x2b740 && code <= 0x2b81f) ||
  (code >= 0x2b820 && code <= 0x2ceaf) ||
  (code >= 0xf900 && code <= 0xfaff) ||
  (code >= 0x2f800 && code <= 0x2fa1f);
