import type { Folder } from '../bytes/source.ts';
import { type Sentence, sentence } from '../errors.ts';
import type { Warning } from '../model/model.ts';

/** A config.json is some kilobytes, with large label tables some hundred. Parsing can take fifty times the length in memory. */
const largestConfig = 4_000_000;

export interface ConfigFile {
  readonly config: Readonly<Record<string, unknown>>;
  readonly warnings: readonly Warning[];
}

/** config.json beside a model, or the adapter_config.json of an adapter that has none; {} when there is neither, and a warning when it cannot be used. */
export async function readConfig(beside: Folder, signal?: AbortSignal): Promise<ConfigFile> {
  let file = 'config.json';
  try {
    let source = await beside.open(file);
    if (!source) {
      file = 'adapter_config.json';
      source = await beside.open(file);
    }
    if (!source) return { config: {}, warnings: [] };
    try {
      if (source.byteLength > largestConfig) return unusable(sentence('{file} was not used: it is larger than 4 MB.', { file }));
      const value: unknown = JSON.parse(new TextDecoder().decode(await source.read(0, source.byteLength, signal)));
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return unusable(sentence('{file} was not used: it is not a JSON object.', { file }));
      return { config: value as Record<string, unknown>, warnings: [] };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    return unusable(
      sentence('{file} was not used: {problem}.', { file, problem: error instanceof Error ? error.message : String(error) }),
    );
  }
}

const unusable = (message: Sentence): ConfigFile => ({
  config: {},
  warnings: [{ code: 'config', message }],
});
