import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '../errors.ts';
import type { OwnSentences } from './types.ts';

/** A vocabulary with as many Chinese characters is meant for Chinese; the English BERT has 488. */
const chineseCharacters = 2000;
/** Of a tokenizer's file: enough to tell. */
const mostBytes = 4 * 2 ** 20;
/** Folders between this module and the package: as a source, and in a bundle. */
const mostFolders = 4;

/** The sentences that come with Headroom, in the languages that a model's vocabulary has: English, and Chinese. */
export async function ownSentences(model: string): Promise<OwnSentences> {
  const english = await read('en');
  if (!(await readsChinese(resolve(model)))) return { texts: english, languages: ['en'] };
  return { texts: [...english, ...(await read('zh'))], languages: ['en', 'zh'] };
}

async function read(language: string): Promise<string[]> {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let up = 0; up <= mostFolders; up++, folder = dirname(folder)) {
    const path = join(folder, 'media', 'sentences', `${language}.txt`);
    if (await isFile(path)) return (await readFile(path, 'utf8')).split('\n').filter(line => line !== '');
  }
  throw fail('missing-file', 'The sentences that come with Headroom are not there.', {}, { file: `${language}.txt` });
}

/** The tokenizer lies beside the model, or one folder up; `model` is a file or a folder. */
async function readsChinese(model: string): Promise<boolean> {
  for (const folder of [model, dirname(model), dirname(dirname(model))])
    for (const name of ['vocab.txt', 'tokenizer.json']) {
      const text = await beginning(join(folder, name));
      if (text !== undefined) return (text.match(/[\u4e00-\u9fff]/g)?.length ?? 0) >= chineseCharacters;
    }
  return false;
}

async function beginning(path: string): Promise<string | undefined> {
  if (!(await isFile(path))) return undefined;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false;
