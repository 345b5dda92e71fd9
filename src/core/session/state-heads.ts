import { basename, dirname } from 'node:path';
import { possibleHeads } from '../anatomy/draft.ts';
import { fileFolder } from '../bytes/folder.ts';
import { openOutput } from '../bytes/output.ts';
import { fail } from '../errors.ts';
import { configText } from './config-text.ts';
import { openPath } from './open.ts';

/**
 * Says in config.json how many heads each layer has, where nothing says it yet: `num_attention_heads`, beside what stands there. The
 * file is made where there is none. Returns the folder that holds it.
 * throws  'usage' for a number that the layers cannot be split into, or where the heads are known
 */
export async function stateHeads(path: string, heads: number): Promise<string> {
  const opened = await openPath(path);
  try {
    const { model, anatomy, folder } = opened;
    const unknown = anatomy.layers.find(layer => layer.heads === 0);
    if (!unknown) throw fail('usage', 'How many heads this model has is known.', {}, { file: model.name });
    const { out } = unknown.query;
    if (!Number.isInteger(heads) || heads < 1 || out % heads !== 0)
      throw fail(
        'usage',
        '{hidden} cannot be split into {heads} heads. It can be split into {counts}.',
        { hidden: out, heads, counts: possibleHeads(out).join(', ') },
        { file: model.name },
      );
    const place = await folderOf(folder);
    const before = place.text;
    const stated = { ...(JSON.parse(before) as Record<string, unknown>), num_attention_heads: heads };
    const output = await openOutput(place.folder, { overwrite: true });
    try {
      await (await output.create('config.json')).write(new TextEncoder().encode(configText(before, stated)));
      await output.commit();
    } catch (error) {
      await output.discard();
      throw error;
    }
    return place.folder;
  } finally {
    await opened.close();
  }
}

/** Where config.json lies: beside the model, or above onnx/model.onnx; beside it where there is none. */
async function folderOf(beside: string): Promise<{ readonly folder: string; readonly text: string }> {
  const folders = basename(beside) === 'onnx' ? [beside, dirname(beside)] : [beside];
  for (const folder of folders) {
    const source = await fileFolder(folder).open('config.json');
    if (!source) continue;
    try {
      return { folder, text: new TextDecoder().decode(await source.read(0, source.byteLength)) };
    } finally {
      await source.close();
    }
  }
  return { folder: beside, text: '{}' };
}
