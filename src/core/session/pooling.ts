import { fileFolder } from '../bytes/folder.ts';
import type { Folder } from '../bytes/source.ts';
import { type Sentence, sentence } from '../errors.ts';
import type { Pooling } from '../export/pooling.ts';

/** Files of this kind have some hundred bytes. */
const largest = 1_000_000;

/**
 * How the sentence-transformers model in a folder makes one vector of a sentence: modules.json names the steps, 1_Pooling/config.json
 * says how tokens become one. {} for other models; a reason where the steps are none that a graph is made for.
 */
export async function poolingOf(path: string): Promise<{ readonly pooling?: Pooling; readonly reason?: Sentence }> {
  const folder = fileFolder(path);
  const modules = await readJson(folder, 'modules.json');
  const steps = Array.isArray(modules) ? modules.map(stepOf) : [{ type: 'Pooling', path: '1_Pooling' }];
  const config = await readJson(folder, `${steps.find(({ type }) => type === 'Pooling')?.path ?? '1_Pooling'}/config.json`);
  if (!isRecord(config)) return {};
  const other = steps.find(({ type }) => !['Transformer', 'Pooling', 'Normalize'].includes(type));
  if (other)
    return { reason: sentence('modules.json has the step {step}, which the export does not know.', { step: other.type }) };
  const modes = modesOf(config);
  const [mode] = modes;
  if (modes.length !== 1 || (mode !== 'mean' && mode !== 'cls'))
    return {
      reason: sentence('The pooling {modes} is not one that the export knows: mean and cls.', { modes: modes.join(' + ') }),
    };
  return { pooling: { mode, normalize: steps.some(({ type }) => type === 'Normalize') } };
}

/** "sentence_transformers.models.Pooling" and its folder. */
function stepOf(module: unknown): { readonly type: string; readonly path: string } {
  const { type, path } = isRecord(module) ? module : {};
  return { type: String(type ?? '').replace(/^.*\./, ''), path: String(path ?? '') };
}

const flags: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

/** One word, or a flag for each. */
function modesOf(config: Readonly<Record<string, unknown>>): string[] {
  if (typeof config.pooling_mode === 'string') return config.pooling_mode.split('+');
  return Object.entries(flags).flatMap(([key, mode]) => (config[key] === true ? [mode] : []));
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
