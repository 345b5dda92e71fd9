import { fileFolder } from '../bytes/folder.ts';
import type { Folder } from '../bytes/source.ts';
import { type Sentence, sentence } from '../errors.ts';
import { type Pooling, type PoolingMode, type PoolingStep, poolingModes } from '../export/pooling.ts';
import { denseIn } from './pooling-dense.ts';

/** Files of this kind have some hundred bytes. */
const largest = 1_000_000;

/** One of the two: how a vector is made, or why the graph does not make it. Neither for models that say nothing of it. */
export interface FoundPooling {
  readonly pooling?: Pooling;
  readonly reason?: Sentence;
}

interface Module {
  readonly type: string;
  readonly path: string;
}

/**
 * How the sentence-transformers model in a folder makes one vector of a sentence: modules.json names the steps, 1_Pooling/config.json
 * says how tokens become one, 2_Dense holds a matrix.
 */
export async function poolingOf(path: string): Promise<FoundPooling> {
  const folder = fileFolder(path);
  const listed = await readJson(folder, 'modules.json');
  const modules = Array.isArray(listed) ? listed.map(moduleOf) : [{ type: 'Pooling', path: '1_Pooling' }];
  const at = modules.findIndex(({ type }) => type === 'Pooling');
  const config = await readJson(folder, `${modules[at]?.path ?? '1_Pooling'}/config.json`);
  if (!isRecord(config)) return {};
  const modes = modesOf(config);
  const known = poolingModes.filter(mode => modes.includes(mode));
  if (known.length === 0 || known.length !== modes.length)
    return {
      reason: sentence('The pooling {modes} is not one that the export knows: {known}.', {
        modes: modes.join(' + '),
        known: poolingModes.join(', '),
      }),
    };
  return stepsBehind(folder, modules, at, known);
}

/** What stands behind the pooling, in order. */
async function stepsBehind(
  folder: Folder,
  modules: readonly Module[],
  at: number,
  modes: readonly PoolingMode[],
): Promise<FoundPooling> {
  const steps: PoolingStep[] = [];
  for (const [index, { type, path }] of modules.entries()) {
    if (ignored.includes(type) && (type !== 'Transformer' || index < at)) continue;
    if (index === at) continue;
    if (type === 'Normalize' && index > at) steps.push({ kind: 'normalize' });
    else if (type === 'Dense' && index > at) {
      const config = await readJson(folder, `${path}/config.json`);
      const found = await denseIn(folder, path, isRecord(config) ? config : {});
      if ('reason' in found) return found;
      steps.push(found);
    } else return { reason: sentence('modules.json has the step {step}, which the export does not know.', { step: type }) };
  }
  return { pooling: { modes, steps } };
}

/** Before the pooling stands the model itself; nothing is dropped when a model runs. */
const ignored: readonly string[] = ['Transformer', 'Dropout'];

/** "sentence_transformers.models.Pooling" and its folder. */
function moduleOf(module: unknown): Module {
  const { type, path } = isRecord(module) ? module : {};
  return { type: String(type ?? '').replace(/^.*\./, ''), path: String(path ?? '') };
}

const flags: Readonly<Record<string, PoolingMode>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

/** One word, a list of words, or a flag for each, of which the mean's is set where it is not stated. */
function modesOf(config: Readonly<Record<string, unknown>>): string[] {
  const { pooling_mode: stated } = config;
  const words = Array.isArray(stated) ? stated.map(String) : typeof stated === 'string' ? stated.split('+') : undefined;
  if (words)
    return words.map(word =>
      word
        .trim()
        .toLowerCase()
        .replace(/_tokens$/, ''),
    );
  return Object.entries(flags).flatMap(([key, mode]) => ((config[key] ?? mode === 'mean') === true ? [mode] : []));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** undefined when the file is not there, or is no JSON: then it says nothing. */
async function readJson(folder: Folder, name: string): Promise<unknown> {
  const source = await folder.open(name).catch(() => undefined);
  if (!source) return undefined;
  try {
    if (source.byteLength > largest) return undefined;
    return JSON.parse(new TextDecoder().decode(await source.read(0, source.byteLength)));
  } catch {
    return undefined;
  } finally {
    await source.close();
  }
}
