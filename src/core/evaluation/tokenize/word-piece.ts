import { fail, sentence } from '../../errors.ts';
import { type Basic, basicTokens } from './basic-tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A longer word is [UNK], as in BERT. */
const maxWordLength = 100;

/**
 * WordPiece over a vocab.txt: a token a line, its id is the line's number from 0.
 * settings   tokenizer_config.json, {} when absent: do_lower_case (default true, as BERT's own), strip_accents, tokenize_chinese_chars
 * throws     'malformed' when [CLS], [SEP] or [UNK] is missing
 */
export function wordPiece(vocabulary: ReadonlyMap<string, number>, settings: Readonly<Record<string, unknown>>): Tokenizer {
  const basic: Basic = {
    lowerCase: settings.do_lower_case !== false,
    ...(typeof settings.strip_accents === 'boolean' && { stripAccents: settings.strip_accents }),
    splitChinese: settings.tokenize_chinese_chars !== false,
  };
  const [cls, sep, unknown] = ['[CLS]', '[SEP]', '[UNK]'].map(token => special(vocabulary, token)) as [number, number, number];
  const specials = ['[CLS]', '[SEP]', '[UNK]', '[PAD]', '[MASK]'].filter(token => vocabulary.has(token));
  const isSpecial = new RegExp(`(${specials.map(token => token.replace(/[[\]]/g, '\\$&')).join('|')})`);
  const content = (text: string): number[] =>
    text
      .split(isSpecial)
      .flatMap((run, index) =>
        index % 2 === 1 ? [vocabulary.get(run)!] : basicTokens(run, basic).flatMap(word => pieces(word, vocabulary, unknown)),
      );
  const { model_max_length: maxLength } = settings;
  const tokens = new Map([...vocabulary].map(([token, id]) => [id, token]));
  return {
    kind: 'vocab.txt',
    pad: vocabulary.get('[PAD]') ?? 0,
    ...(vocabulary.has('[MASK]') && { mask: vocabulary.get('[MASK]')! }),
    ...(typeof maxLength === 'number' && { maxLength }),
    content,
    token: id => tokens.get(id) ?? `#${id}`,
    encode(text, pair) {
      const first = [cls, ...content(text), sep];
      const second = pair === undefined ? [] : [...content(pair), sep];
      return { ids: [...first, ...second], types: [...first.map(() => 0), ...second.map(() => 1)] };
    },
  };
}

/** The token of each line. A line ending in CR is one of a file that went through Windows. */
export function readVocabulary(text: string): Map<string, number> {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return new Map(lines.map((line, id) => [line.replace(/\r$/, ''), id]));
}

/** Greedy, longest piece first; a word with a part that is in no piece is unknown as a whole. */
function pieces(word: string, vocabulary: ReadonlyMap<string, number>, unknown: number): number[] {
  const characters = [...word];
  if (characters.length > maxWordLength) return [unknown];
  const ids: number[] = [];
  for (let start = 0; start < characters.length; ) {
    let end = characters.length;
    let id: number | undefined;
    for (; end > start; end--) {
      id = vocabulary.get((start > 0 ? '##' : '') + characters.slice(start, end).join(''));
      if (id !== undefined) break;
    }
    if (id === undefined) return [unknown];
    ids.push(id);
    start = end;
  }
  return ids;
}

function special(vocabulary: ReadonlyMap<string, number>, token: string): number {
  const id = vocabulary.get(token);
  if (id !== undefined) return id;
  throw fail(
    'malformed',
    'This vocabulary has no {token}, so it is not one of WordPiece.',
    { token },
    { file: 'vocab.txt', hint: sentence('Put the tokenizer.json of the model beside it.') },
  );
}
