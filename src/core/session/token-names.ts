import type { Folder } from '../bytes/source.ts';

/** Far above any tokenizer. */
const maxBytes = 256 * 2 ** 20;

type Names = Map<number, string>;

/**
 * What the tokenizer beside a model calls some rows of its word table: from tokenizer.json, else vocab.txt. Names are there to be read,
 * nothing depends on them: a tokenizer that is damaged, or of another kind, gives none.
 */
export async function tokenNames(folder: Folder, rows: readonly number[]): Promise<Names> {
  const wanted = new Set(rows);
  if (wanted.size === 0) return new Map();
  try {
    const json = await readText(folder, 'tokenizer.json');
    if (json !== undefined) return fromJson(JSON.parse(json), wanted);
    const text = await readText(folder, 'vocab.txt');
    return text === undefined ? new Map() : fromLines(text, wanted);
  } catch {
    return new Map();
  }
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: Readonly<Record<string, unknown>> | readonly unknown[] };
  readonly added_tokens?: readonly { readonly id?: unknown; readonly content?: unknown }[];
}

/** WordPiece and BPE have { token: id }, Unigram has [[token, score], …] in the order of ids. */
function fromJson({ model, added_tokens = [] }: TokenizerJson, wanted: ReadonlySet<number>): Names {
  const names: Names = new Map();
  const vocabulary = model?.vocab ?? {};
  if (Array.isArray(vocabulary))
    for (const id of wanted) keep(names, id, (vocabulary[id] as readonly unknown[] | undefined)?.[0]);
  else for (const [token, id] of Object.entries(vocabulary)) if (wanted.has(id as number)) keep(names, id as number, token);
  for (const { id, content } of added_tokens) if (wanted.has(id as number)) keep(names, id as number, content);
  return names;
}

/** A token a line. */
function fromLines(text: string, wanted: ReadonlySet<number>): Names {
  const names: Names = new Map();
  const lines = text.split('\n');
  for (const id of wanted) keep(names, id, lines[id]?.replace(/\r$/, ''));
  return names;
}

function keep(names: Names, id: number, token: unknown): void {
  if (typeof token === 'string' && token !== '') names.set(id, token);
}

async function readText(folder: Folder, name: string): Promise<string | undefined> {
  const source = await folder.open(name);
  if (!source) return undefined;
  try {
    if (source.byteLength > maxBytes) return undefined;
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  } finally {
    await source.close();
  }
}
