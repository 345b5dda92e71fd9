import { type Beside, parse } from './beside.ts';
import type { Kept } from './kept.ts';
import { linesOf, type Pieces } from './pieces.ts';
import { smallerPieceModel } from './sentence-piece.ts';

type Json = Readonly<Record<string, unknown>>;

/** Old id to new one; undefined for what is gone. */
type Places = ReadonlyMap<number, number>;

/** The tokenizer's files with the kept tokens only, renumbered. Files that name no ids stay as they are and are not here. */
export function smallerTokenizer(beside: Beside, pieces: Pieces, kept: Kept): Map<string, Uint8Array> {
  const places: Places = new Map(kept.ids.map((id, place) => [id, place]));
  const files = new Map<string, Uint8Array>();
  const put = (name: string, make: (text: string) => string) => {
    const text = beside.texts.get(name);
    if (text !== undefined) files.set(name, new TextEncoder().encode(make(text)));
  };
  const asJson = (name: string, make: (json: Json) => Json) =>
    put(name, text => `${JSON.stringify(make(parse(text, name)), null, 2)}\n`);
  asJson('tokenizer.json', json => smallerJson(json, kept, places));
  asJson('tokenizer_config.json', json => renumberedConfig(json, places));
  asJson('vocab.json', vocabulary => renumbered(vocabulary, places));
  asJson('added_tokens.json', tokens => renumbered(tokens, places));
  put('vocab.txt', text => {
    const lines = linesOf(text);
    return kept.ids.flatMap(id => (id < lines.length ? `${lines[id]}\n` : [])).join('');
  });
  put('merges.txt', text => smallerMerges(text, pieces, kept));
  const tokens = new Set([...pieces.ids].flatMap(([token, id]) => (places.has(id) ? token : [])));
  for (const [name, bytes] of beside.pieceModels) files.set(name, smallerPieceModel(bytes, tokens));
  return files;
}

/** { "token": id } */
function renumbered(tokens: Json, places: Places): Json {
  const pairs = Object.entries(tokens).flatMap(([token, id]) => {
    const place = places.get(id as number);
    return place === undefined ? [] : [[token, place] as const];
  });
  return Object.fromEntries(pairs.sort((a, b) => a[1] - b[1]));
}

function smallerJson(json: Json, kept: Kept, places: Places): Json {
  const { model, added_tokens: added, post_processor: processor, padding } = json as Record<string, Json>;
  const idOf = (id: unknown): unknown => places.get(id as number) ?? id;
  return {
    ...json,
    added_tokens: ((added ?? []) as unknown as Json[]).map(token => ({ ...token, id: idOf(token.id) })),
    ...(padding && { padding: { ...padding, pad_id: idOf(padding.pad_id) } }),
    ...(processor && { post_processor: smallerProcessor(processor, idOf) }),
    model: smallerModel(model ?? {}, kept, places),
  };
}

function smallerModel(model: Json, kept: Kept, places: Places): Json {
  const { vocab, merges, unk_id: unknown } = model;
  const list = Array.isArray(vocab) ? kept.ids.flatMap(id => (id < vocab.length ? [vocab[id]] : [])) : undefined;
  return {
    ...model,
    ...(typeof unknown === 'number' && { unk_id: places.get(unknown) }),
    vocab: list ?? renumbered(vocab as Json, places),
    ...(Array.isArray(merges) && { merges: kept.merges.map(rank => merges[rank]) }),
  };
}

/** Ids stand in TemplateProcessing's special tokens, in the pairs of BertProcessing and RobertaProcessing, and in sequences of these. */
function smallerProcessor(processor: Json, idOf: (id: unknown) => unknown): Json {
  const { processors, special_tokens: tokens, sep, cls } = processor;
  const pair = ([token, id]: readonly unknown[]) => [token, idOf(id)];
  return {
    ...processor,
    ...(Array.isArray(processors) && { processors: processors.map(each => smallerProcessor(each as Json, idOf)) }),
    ...(isRecord(tokens) && {
      special_tokens: Object.fromEntries(
        Object.entries(tokens).map(([name, token]) => {
          const { ids } = token as { ids: readonly unknown[] };
          return [name, { ...(token as Json), ids: ids.map(idOf) }];
        }),
      ),
    }),
    ...(Array.isArray(sep) && { sep: pair(sep) }),
    ...(Array.isArray(cls) && { cls: pair(cls) }),
  };
}

/** added_tokens_decoder is { "id": token }. */
function renumberedConfig(json: Json, places: Places): Json {
  const { added_tokens_decoder: tokens } = json;
  if (!isRecord(tokens)) return json;
  const moved = Object.entries(tokens).flatMap(([id, token]) => {
    const place = places.get(Number(id));
    return place === undefined ? [] : [[String(place), token] as const];
  });
  return { ...json, added_tokens_decoder: Object.fromEntries(moved) };
}

/** A pair a line, after the line that says the version. */
function smallerMerges(text: string, { merges }: Pieces, kept: Kept): string {
  const stay = new Set(kept.merges.map(rank => merges[rank]!.join(' ')));
  return `${linesOf(text)
    .filter(line => line.startsWith('#version') || stay.has(line))
    .join('\n')}\n`;
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
