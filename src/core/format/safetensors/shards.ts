import type { ByteSource, Folder } from '../../bytes/source.ts';
import { fail, HeadroomError, type Sentence, sentence } from '../../errors.ts';
import type { Model, Warning } from '../../model/model.ts';
import { readConfig } from '../config.ts';
import { readHeader } from './header.ts';
import { assemble, type Shard } from './read.ts';
import { checkStructure } from './structure.ts';

// model.safetensors.index.json: { "metadata": { "total_size": n }, "weight_map": { TENSOR: FILE } }

/** A model of half a million tensors has an index of 60 MB. */
const largestIndex = 100_000_000;
/** The largest public models have some hundreds of files; each one stays open. */
const mostShards = 10_000;

/** The index beside a shard that lists it: "model-00002-of-00003.safetensors" belongs to "model.safetensors.index.json". */
export async function indexOf(source: ByteSource, beside: Folder, signal?: AbortSignal): Promise<ByteSource | undefined> {
  const stem = /^(.*)-\d+-of-\d+\.safetensors$/.exec(source.name)?.[1];
  if (stem === undefined) return undefined;
  const index = await beside.open(`${stem}.safetensors.index.json`);
  if (!index) return undefined;
  const files = await shardNames(index, signal).catch((): string[] => []);
  if (files.includes(source.name)) return index;
  await index.close();
  return undefined;
}

/** Opens every file the index lists. One that is missing leaves the model incomplete, with a warning that names it. */
export async function openShards(index: ByteSource, opened: ByteSource, beside: Folder, signal?: AbortSignal): Promise<Model> {
  const shards: Shard[] = [];
  const { config, warnings: configWarnings } = await readConfig(beside, signal);
  const warnings: Warning[] = [...configWarnings];
  try {
    for (const file of await shardNames(index, signal)) {
      const source = file === opened.name ? opened : await beside.open(file);
      if (!source) {
        warnings.push({
          code: 'missing-file',
          message: sentence('{file} is missing. The model keeps some of its weights there.', { file }),
        });
        continue;
      }
      shards.push({ source, header: await readHeader(source, signal) });
    }
  } catch (error) {
    for (const { source } of shards) if (source !== opened) await source.close();
    if (index !== opened) await index.close();
    throw error;
  }
  const complete = warnings.length === configWarnings.length;
  return assemble(opened.name, shards, { config, warnings, complete, index });
}

async function shardNames(index: ByteSource, signal?: AbortSignal): Promise<string[]> {
  const file = index.name;
  if (index.byteLength > largestIndex)
    throw fail(
      'limit',
      'An index may have {limit} bytes, this one has {length}.',
      { limit: largestIndex, length: index.byteLength },
      { file },
    );
  const broken = (what: Sentence) => new HeadroomError('malformed', what, { file, offset: 0 });
  let value: { weight_map?: unknown };
  try {
    const json = await index.read(0, index.byteLength, signal);
    checkStructure(json, index, 0);
    value = JSON.parse(new TextDecoder().decode(json));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw broken(sentence('The index cannot be read: {problem}.', { problem: error.message }));
  }
  const map = value?.weight_map;
  if (typeof map !== 'object' || map === null) throw broken(sentence('The index cannot be read: it has no weight_map.'));
  const names = [...new Set(Object.values(map))];
  if (!names.every(name => typeof name === 'string'))
    throw broken(sentence('The index cannot be read: weight_map holds something that is not a file name.'));
  if (names.length > mostShards)
    throw fail(
      'limit',
      'The index lists {count} files; {limit} are allowed.',
      { count: names.length, limit: mostShards },
      { file },
    );
  return names.sort();
}
