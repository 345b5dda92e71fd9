import type { ByteSource, Folder } from '../../bytes/source.ts';
import type { Model, Part } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { readConfig } from '../config.ts';
import { type Origin, PlacedTensor } from '../stored.ts';
import { withMatrices } from './bitmasks.ts';
import { type Header, readHeader } from './header.ts';
import { indexOf, openShards } from './shards.ts';

/** One file of a safetensors model. */
export interface Shard {
  readonly source: ByteSource;
  readonly header: Header;
}

export interface SafetensorsOrigin extends Origin {
  readonly shards: readonly Shard[];
  /** model.safetensors.index.json, when the model has one. */
  readonly index?: ByteSource;
}

/** Opens a safetensors file, an index of several, or one of those several (which opens them all). */
export async function openSafetensors(source: ByteSource, beside: Folder, signal?: AbortSignal): Promise<Model> {
  const index = source.name.endsWith('.json') ? source : await indexOf(source, beside, signal);
  if (index) return withMatrices(await openShards(index, source, beside, signal), signal);
  const shard: Shard = { source, header: await readHeader(source, signal) };
  const model = assemble(source.name, [shard], { ...(await readConfig(beside, signal)), complete: true });
  return withMatrices(model, signal);
}

export interface Circumstances extends Pick<Model, 'config' | 'warnings' | 'complete'> {
  readonly index?: ByteSource;
}

/** A model from its shards, in the order given. A name in two shards belongs to the last, as when they are loaded in turn. */
export function assemble(name: string, shards: readonly Shard[], { index, ...rest }: Circumstances): Model {
  const tensors = new Map<string, Tensor>();
  const parts: Part[] = [];
  const metadata =
    shards.length === 1 ? shards[0]!.header.metadata : Object.assign({}, ...shards.map(shard => shard.header.metadata));
  for (const { source, header } of shards) {
    const dataStart = 8 + header.jsonLength;
    for (const entry of header.entries)
      tensors.set(entry.name, new PlacedTensor(entry.name, entry.dtype, entry.shape, source, dataStart + entry.start));
    parts.push({ kind: 'header', file: source.name, byteLength: dataStart });
    parts.push({ kind: 'tensors', file: source.name, byteLength: source.byteLength - dataStart });
  }
  if (index) parts.unshift({ kind: 'metadata', file: index.name, byteLength: index.byteLength });
  const sources = [...(index ? [index] : []), ...shards.map(shard => shard.source)];
  const origin: SafetensorsOrigin = { sources, shards, ...(index ? { index } : {}) };
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const model: Model = { format: 'safetensors', name, byteLength, parts, tensors, metadata, ...rest, origin };
  origin.model = model;
  return model;
}
