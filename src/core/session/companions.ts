import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openOutput } from '../bytes/output.ts';
import type { Output } from '../bytes/source.ts';
import { fail, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { Opened } from './open.ts';
import type { Target } from './target.ts';

/** What belongs to a model beside its weights: configuration, tokenizer, how sentences are pooled. Never another model. */
const carried =
  /^(.*config\.json|config_sentence_transformers\.json|tokenizer.*|vocab\.(txt|json)|merges\.txt|special_tokens_map\.json|added_tokens\.json|.*\.(model|spm|bpe)|modules\.json|sentence_.*\.json|LICENSE.*|NOTICE.*)$/i;
/** Folders of a sentence-transformers model: 1_Pooling, 2_Dense, … */
const carriedFolder = /^\d+_\w+$/;

/** Far above any tokenizer; a larger file that matches a carried name is something else. */
const maxCarriedBytes = 256 * 2 ** 20;

/**
 * Copies the companions into the output's folder when it is another one, and writes config.json when the rewrite changed it.
 * Files that already stand there are left as they are unless `force`. Returns what must be committed with the model.
 */
export async function carryCompanions(
  input: Opened,
  after: Model,
  target: Target,
  output: Output,
  force: boolean,
): Promise<Output[]> {
  const configChanged = JSON.stringify(after.config) !== JSON.stringify(input.model.config);
  if (target.folder === input.folder) {
    if (configChanged) throw sameFolder(target);
    return [];
  }
  if (configChanged) await put(output, 'config.json', Buffer.from(`${JSON.stringify(after.config, null, 2)}\n`));
  for (const name of await filesToCarry(input.folder)) {
    if (name === 'config.json' && configChanged) continue;
    if (!force && (await exists(join(target.folder, name)))) continue;
    await put(output, name, await readFile(join(input.folder, name)));
  }
  return carryFolders(input.folder, target.folder, force);
}

const sameFolder = (target: Target) =>
  fail(
    'output-exists',
    'This result needs a config.json of its own, and the folder holds the one of the original.',
    {},
    { file: target.name, hint: sentence('Choose another folder.') },
  );

async function filesToCarry(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter(it => it.isFile() && carried.test(it.name))
    .map(it => it.name);
  const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name))).size));
  return names.filter((_, index) => sizes[index]! <= maxCarriedBytes).sort();
}

async function carryFolders(from: string, to: string, force: boolean): Promise<Output[]> {
  const outputs: Output[] = [];
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isDirectory() || !carriedFolder.test(entry.name)) continue;
    const names = await filesToCarry(join(from, entry.name));
    if (names.length === 0) continue;
    const folder = join(to, entry.name);
    await mkdir(folder, { recursive: true });
    const output = await openOutput(folder, { overwrite: true });
    for (const name of names) {
      if (!force && (await exists(join(folder, name)))) continue;
      await put(output, name, await readFile(join(from, entry.name, name)));
    }
    outputs.push(output);
  }
  return outputs;
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
