import type { Anatomy, Table } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence, throwIfCancelled } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { PassContext, Plan, Skipped } from '../pass.ts';
import { readBeside } from './beside.ts';
import { keptOf } from './kept.ts';
import { type Pieces, piecesOf } from './pieces.ts';
import { smallerTokenizer } from './smaller-tokenizer.ts';
import { wholeWords } from './whole-words.ts';

export interface VocabularyOptions {
  readonly keep_from: string;
  readonly keep: string;
  readonly keep_first: number | null;
}

const WORDS = 'embeddings.word_embeddings';

/** Lines or words that are cut into tokens between two looks at the signal. */
const STEP = 512;

/** The rows that stay, and the tokenizer that goes with them. */
export async function planVocabulary(anatomy: Anatomy, options: VocabularyOptions, context: PassContext): Promise<Plan> {
  const { model, beside: folder, signal } = context;
  const table = anatomy.tables.find(({ id }) => id === WORDS);
  const reason = table ? keptWhole(table) : sentence('No table of words was found.');
  if (!table || reason) return { edits: [], skipped: [{ target: table?.id ?? model.name, reason: reason! }] };
  const beside = folder && (await readBeside(folder, signal));
  const pieces = beside && piecesOf(beside);
  if (!beside || !pieces) throw noTokenizer(model.name);
  const skipped: Skipped[] = [];
  const used = new Set<number>();
  for (const id of pieces.ids.values()) if (id < (options.keep_first ?? 0)) used.add(id);
  if (options.keep !== '') for (const id of await listed(options.keep, pieces, context, skipped)) used.add(id);
  if (options.keep_from !== '') for (const id of await idsIn(options.keep_from, pieces, context)) used.add(id);
  for (const [name, id] of Object.entries(model.config)) if (name.endsWith('_token_id') && isRow(id, table)) used.add(id);
  const padding = model.config.pad_token_id;
  const kept = keptOf(pieces, used, typeof padding === 'number' ? padding : undefined);
  const last = kept.ids.at(-1) ?? 0;
  if (last >= table.rows) throw otherTokenizer(model.name, last + 1, table.rows);
  if (kept.ids.length === table.rows)
    return { edits: [], skipped: [...skipped, { target: table.id, reason: sentence('Every token is used.') }] };
  return {
    edits: [{ kind: 'remove-rows', table: table.id, keep: kept.ids }],
    skipped,
    notes: [
      sentence('{kept} of {all} tokens stay. Other words are cut into smaller pieces.', {
        kept: kept.ids.length,
        all: pieces.ids.size,
      }),
    ],
    companions: smallerTokenizer(beside, pieces, kept),
  };
}

const isRow = (id: unknown, { rows }: Table): id is number =>
  Number.isInteger(id) && (id as number) >= 0 && (id as number) < rows;

function keptWhole({ id, form, packed, weight }: Table): Sentence | undefined {
  if (form === 'quantized' || packed || !isFloat(weight.dtype))
    return sentence('{id} is quantized. Prune first, then quantize.', { id });
  return weight.shape.length === 2 ? undefined : sentence('{id} is not stored as a table of rows.', { id });
}

/** Ids of a list of tokens; those that are none are told. */
async function listed(path: string, { ids }: Pieces, context: PassContext, skipped: Skipped[]): Promise<number[]> {
  const tokens = (await textOf(path, context)).split(/\r?\n/).filter(line => line !== '');
  const unknown = tokens.filter(token => !ids.has(token));
  if (unknown.length > 0)
    skipped.push({
      target: WORDS,
      reason: sentence('{count} of the tokens to keep are not in the vocabulary: {tokens}', {
        count: unknown.length,
        tokens: unknown.slice(0, 8).join(' '),
      }),
    });
  return tokens.flatMap(token => ids.get(token) ?? []);
}

/**
 * Every id a text is cut into. WordPiece never looks beyond a space, so that each word is cut once, however often it comes; the others
 * are given whole lines.
 */
async function idsIn(path: string, pieces: Pieces, context: PassContext): Promise<Set<number>> {
  const { type } = pieces;
  const text = await textOf(path, context);
  const lines = new Set(text.split(type === 'WordPiece' ? /\s+/ : /\r?\n/));
  lines.delete('');
  if (lines.size === 0) throw fail('malformed', 'This text has no lines.', {}, { file: fileOf(path) });
  if (!context.tokenizer) throw noTokenizer(context.model.name);
  const tokenizer = await context.tokenizer();
  const found = new Set<number>();
  let done = 0;
  const known = wholeWords(pieces);
  for (const line of lines) {
    for (const id of known(line) ?? tokenizer.encode(line).ids) found.add(id);
    if (++done % STEP !== 0) continue;
    context.progress?.(done / lines.size, fileOf(path));
    await new Promise(resolve => setImmediate(resolve));
    throwIfCancelled(context.signal);
  }
  return found;
}

const fileOf = (path: string): string => path.replace(/^.*[/\\]/, '');

async function textOf(path: string, { readText, model }: PassContext): Promise<string> {
  if (!readText) throw fail('unsupported', 'Files cannot be read here.', {}, { file: model.name });
  return readText(path);
}

const noTokenizer = (file: string) =>
  fail(
    'missing-file',
    'There is no tokenizer beside this model, and without one its rows have no words.',
    {},
    { file, hint: sentence('Put tokenizer.json or vocab.txt into the folder of the model.') },
  );

const otherTokenizer = (file: string, tokens: number, rows: number) =>
  fail(
    'unsupported',
    'The tokenizer beside this model has {tokens} tokens, and the table of words {rows} rows: they do not belong together.',
    { tokens, rows },
    { file, hint: sentence('Put the tokenizer of this model into its folder.') },
  );
