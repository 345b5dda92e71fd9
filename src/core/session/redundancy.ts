import { fileFolder } from '../bytes/folder.ts';
import type { Folder } from '../bytes/source.ts';
import { analyse } from '../report/redundancy/analyse.ts';
import type { Redundancy } from '../report/redundancy.ts';
import { openPath } from './open.ts';
import { tokenNames } from './token-names.ts';
import type { SessionOptions } from './types.ts';

/** Where a model repeats itself, from its weights. */
export async function redundancy(path: string, { signal, progress }: SessionOptions = {}): Promise<Redundancy> {
  const opened = await openPath(path, signal);
  try {
    const found = await analyse(opened.model, opened.anatomy, {
      signal,
      progress: (fraction, what) => progress?.({ fraction, what }),
    });
    return await withTokens(found, fileFolder(opened.folder));
  } finally {
    await opened.close();
  }
}

/** Rows of the vocabulary that are named have their tokens, where there is a tokenizer. */
async function withTokens(found: Redundancy, folder: Folder): Promise<Redundancy> {
  const { vocabulary } = found;
  if (!vocabulary) return found;
  const named = [...vocabulary.examples, ...(vocabulary.near?.groups.flatMap(({ rows }) => rows) ?? [])];
  const tokens = await tokenNames(folder, named);
  return tokens.size > 0 ? { ...found, vocabulary: { ...vocabulary, tokens: [...tokens] } } : found;
}
