import { createHash } from 'node:crypto';
import { openFileSource } from '../bytes/file.ts';
import type { ByteSource } from '../bytes/source.ts';

/** What is read of a model, in bytes, so that asking costs no more than opening it. */
const mostBytes = 2 ** 20;
const sampleBytes = 4096;

/**
 * Which model these files are, whatever they are called: SHA-256 over their lengths and samples spread evenly through all of them.
 * A model of up to 1 MB is read whole. A change of single weights can pass unseen; a rewrite of any matrix does not.
 */
export async function fingerprint(paths: readonly string[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const sources: ByteSource[] = [];
  try {
    for (const path of paths) sources.push(await openFileSource(path));
    for (const { byteLength } of sources) hash.update(`${byteLength}\n`);
    for (const { source, offset, length } of samples(sources)) hash.update(await source.read(offset, length, signal));
    return hash.digest('hex');
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}

function* samples(sources: readonly ByteSource[]): Generator<{ source: ByteSource; offset: number; length: number }> {
  const total = sources.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (total <= mostBytes) {
    for (const source of sources) yield { source, offset: 0, length: source.byteLength };
    return;
  }
  const count = mostBytes / sampleBytes;
  for (let index = 0; index < count; index++) {
    // The first and the last bytes are among them.
    let at = Math.floor((index * (total - sampleBytes)) / (count - 1));
    const source = sources.find(({ byteLength }) => {
      if (at < byteLength) return true;
      at -= byteLength;
      return false;
    })!;
    yield { source, offset: at, length: Math.min(sampleBytes, source.byteLength - at) };
  }
}
