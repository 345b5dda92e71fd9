import type { Folder } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import { huggingFace } from './hugging-face.ts';
import type { Tokenizer } from './tokenizer.ts';
import { readVocabulary, wordPiece } from './word-piece.ts';

/** Far above any tokenizer. */
const maxBytes = 256 * 2 ** 20;

/** The tokenizer beside a model: tokenizer.json, else vocab.txt. undefined when there is neither. */
export async function findTokenizer(folder: Folder): Promise<Tokenizer | undefined> {
  const settings = (await readJson(folder, 'tokenizer_config.json')) ?? {};
  const json = await readJson(folder, 'tokenizer.json');
  if (json) return huggingFace(json, settings);
  const text = await readText(folder, 'vocab.txt');
  return text === undefined ? undefined : wordPiece(readVocabulary(text), settings);
}

async function readJson(folder: Folder, file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readText(folder, file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw fail('malformed', 'This is not JSON: {cause}', { cause: (cause as Error).message }, { file, cause });
  }
}

async function readText(folder: Folder, name: string): Promise<string | undefined> {
  const source = await folder.open(name);
  if (!source) return undefined;
  try {
    if (source.byteLength > maxBytes)
      throw fail(
        'limit',
        'This file is too large to be a tokenizer: {bytes} bytes.',
        { bytes: source.byteLength },
        { file: name },
      );
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  } finally {
    await source.close();
  }
}
