import { fail } from '../../errors.ts';
import { type Beside, parse } from './beside.ts';

/** The tokens of a tokenizer, and how it puts words together from them. */
export interface Pieces {
  readonly type: 'WordPiece' | 'BPE' | 'Unigram' | 'WordLevel';
  /** Every token by its text. */
  readonly ids: ReadonlyMap<string, number>;
  /** Tokens that stand for themselves: [CLS], <pad>, and what was added. They always stay. */
  readonly special: ReadonlySet<number>;
  /** WordPiece: what marks a piece within a word. */
  readonly continuing: string;
  /** BERT's own rules: punctuation stands alone, and capitals are small ones or themselves. */
  readonly rules: 'lowercase' | 'cased' | undefined;
  /** BPE: pairs in the order in which they are put together. */
  readonly merges: readonly (readonly [string, string])[];
  /** Unigram: the log probability of each token, by id. */
  readonly scores: ReadonlyMap<number, number>;
}

type Json = Readonly<Record<string, unknown>>;

/** From tokenizer.json, else vocab.txt; undefined where there is neither. throws 'malformed', 'unsupported' */
export function piecesOf({ texts }: Beside): Pieces | undefined {
  const json = texts.get('tokenizer.json');
  if (json !== undefined) return fromJson(parse(json, 'tokenizer.json'));
  const lines = texts.get('vocab.txt');
  return lines === undefined ? undefined : fromLines(lines);
}

/** The tokens of vocab.txt: the line's number is the id. */
export const linesOf = (text: string): string[] => text.replace(/\r?\n$/, '').split(/\r?\n/);

function fromLines(text: string): Pieces {
  const ids = new Map(linesOf(text).map((token, id) => [token, id]));
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].flatMap(token => ids.get(token) ?? []);
  return { type: 'WordPiece', ids, special: new Set(special), continuing: '##', rules: undefined, merges: [], scores: new Map() };
}

function fromJson(json: Json): Pieces {
  const model = (json.model ?? {}) as Json;
  const type = model.type ?? (model.merges ? 'BPE' : 'WordPiece');
  if (type !== 'WordPiece' && type !== 'BPE' && type !== 'Unigram' && type !== 'WordLevel') throw notUnderstood(String(type));
  for (const affix of ['continuing_subword_prefix', 'end_of_word_suffix'])
    if (type === 'BPE' && model[affix]) throw notUnderstood(`BPE, ${affix}`);
  const ids = new Map<string, number>();
  const scores = new Map<number, number>();
  if (type === 'Unigram')
    for (const [id, [token, score]] of (model.vocab as [string, number][]).entries()) {
      ids.set(token, id);
      scores.set(id, score);
    }
  else for (const [token, id] of Object.entries(model.vocab as Record<string, number>)) ids.set(token, id);
  const special = new Set<number>();
  for (const { id, content } of (json.added_tokens ?? []) as { id: number; content: string }[]) {
    ids.set(content, id);
    special.add(id);
  }
  if (typeof model.unk_id === 'number') special.add(model.unk_id);
  const unknown = ids.get(String(model.unk_token));
  if (unknown !== undefined) special.add(unknown);
  for (const [token, id] of ids) if (model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token)) special.add(id);
  const continuing = (model.continuing_subword_prefix as string | null | undefined) ?? '##';
  return { type, ids, special, continuing, rules: rulesOf(json), merges: type === 'BPE' ? mergesOf(model) : [], scores };
}

/** Of the file's normalizer and splitter. */
function rulesOf({ normalizer, pre_tokenizer: splitter }: Json): Pieces['rules'] {
  const [text, words] = [normalizer, splitter] as (Json | null | undefined)[];
  if (text?.type !== 'BertNormalizer' || words?.type !== 'BertPreTokenizer') return undefined;
  return text.lowercase === false ? 'cased' : 'lowercase';
}

/** "a b", or ["a", "b"] as newer files write it. */
function mergesOf({ merges }: Json): [string, string][] {
  return ((merges ?? []) as (string | [string, string])[]).map(pair => {
    const [left, right] = typeof pair === 'string' ? pair.split(' ') : pair;
    return [left!, right!];
  });
}

const notUnderstood = (type: string) =>
  fail('unsupported', 'Tokens cannot be taken out of a tokenizer of this kind: {type}.', { type }, { file: 'tokenizer.json' });
