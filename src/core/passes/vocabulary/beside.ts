import type { Folder } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';

/** Far above any tokenizer. */
const maxBytes = 256 * 2 ** 20;

/** Files of a tokenizer that name its tokens, or say which is which. */
const names = ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt', 'vocab.json', 'merges.txt', 'added_tokens.json'] as const;

/** What stands beside a model, by name: the text of each file, and the bytes of SentencePiece's model. */
export interface Beside {
  readonly texts: ReadonlyMap<string, string>;
  readonly pieceModels: ReadonlyMap<string, Uint8Array>;
}

/** Reads the tokenizer's files. throws 'limit' */
export async function readBeside(folder: Folder, signal?: AbortSignal): Promise<Beside> {
  const texts = new Map<string, string>();
  const pieceModels = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await read(folder, name, signal);
    if (bytes) texts.set(name, new TextDecoder().decode(bytes));
  }
  for (const name of (await folder.list()).filter(it => /\.(model|spm)$/.test(it))) {
    const bytes = await read(folder, name, signal);
    if (bytes) pieceModels.set(name, bytes);
  }
  return { texts, pieceModels };
}

async function read(folder: Folder, name: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  const source = await folder.open(name);
  if (!source) return undefined;
  try {
    const { byteLength } = source;
    if (byteLength > maxBytes)
      throw fail('limit', 'This file is too large to be a tokenizer: {bytes} bytes.', { bytes: byteLength }, { file: name });
    return await source.read(0, byteLength, signal);
  } finally {
    await source.close();
  }
}

/** A JSON object. throws 'malformed' */
export function parse(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw fail('malformed', 'This is not JSON: {cause}', { cause: (cause as Error).message }, { file, cause });
  }
  throw fail('malformed', 'This tokenizer could not be read: {cause}', { cause: 'no object' }, { file });
}
