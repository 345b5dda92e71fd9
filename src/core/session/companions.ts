import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../bytes/source.ts';
import { fail, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { configText } from './config-text.ts';
import type { Opened } from './open.ts';
import type { Target } from './target.ts';

/** What belongs to a model beside its weights: configuration, tokenizer, how sentences are pooled. Never another model, never a record of one. */
const carried =
  /^(?!.*\.headroom\.json$)(.*config\.json|config_sentence_transformers\.json|tokenizer.*|vocab\.(txt|json)|merges\.txt|special_tokens_map\.json|added_tokens\.json|.*\.(model|spm|bpe)|modules\.json|sentence_.*\.json|LICENSE.*|NOTICE.*)$/i;
/** Folders of a sentence-transformers model: 1_Pooling, 2_Dense, … */
const carriedFolder = /^\d+_\w+$/;

/** Far above any tokenizer; a larger file that matches a carried name is something else. */
const maxCarriedBytes = 256 * 2 ** 20;

/**
 * Copies the companions into the output's folder when it is another one, and writes config.json when the rewrite changed it.
 * Files that already stand there are left as they are unless `force`. `made`: files that the passes made in place of the input's.
 */
export async function carryCompanions(
  input: Opened,
  after: Model,
  target: Target,
  output: Output,
  force: boolean,
  made: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<void> {
  const configChanged = JSON.stringify(after.config) !== JSON.stringify(input.model.config);
  if (target.folder === input.folder) {
    if (configChanged || made.size > 0) throw sameFolder(target, configChanged ? 'config.json' : [...made.keys()][0]!);
    return;
  }
  if (configChanged) await put(output, 'config.json', Buffer.from(await changedConfig(input, after)));
  for (const [name, bytes] of made) await put(output, name, bytes);
  for (const name of await namesToCarry(input.folder)) {
    if ((name === 'config.json' && configChanged) || made.has(name)) continue;
    if (!force && (await exists(join(target.folder, name)))) continue;
    await put(output, name, await readFile(join(input.folder, name)));
  }
}

const changedConfig = async (input: Opened, after: Model): Promise<string> =>
  configText((await readFile(join(input.folder, 'config.json'), 'utf8').catch(() => '{}')).replace(/^\uFEFF/, ''), after.config);

const sameFolder = (target: Target, file: string) =>
  fail(
    'output-exists',
    'This result needs a {name} of its own, and the folder holds the one of the original.',
    { name: file },
    { file: target.name, hint: sentence('Choose another folder.') },
  );

async function filesToCarry(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter(it => it.isFile() && carried.test(it.name))
    .map(it => it.name);
  const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name))).size));
  return names.filter((_, index) => sizes[index]! <= maxCarriedBytes).sort();
}

/** Of the folder itself and of its pooling folders: "config.json", "1_Pooling/config.json". */
async function namesToCarry(folder: string): Promise<string[]> {
  const folders = (await readdir(folder, { withFileTypes: true })).filter(it => it.isDirectory() && carriedFolder.test(it.name));
  const inside = await Promise.all(
    folders.map(async ({ name }) => (await filesToCarry(join(folder, name))).map(file => `${name}/${file}`)),
  );
  return [...(await filesToCarry(folder)), ...inside.flat().sort()];
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function put(output: Output, name: string, bytes: Uint8Array): Promise<void> {
  const sink = await output.create(name);
  await sink.write(bytes);
}
