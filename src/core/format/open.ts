import type { ByteSource, Folder } from '../bytes/source.ts';
import { fail, HeadroomError, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { formats } from './registry.ts';

/**
 * Opens a model of any format; what the file holds decides, its name only where that is not clear. Reads headers only.
 * The caller closes `source` when this rejects; afterwards closeModel closes it with the rest.
 * throws  'empty', 'lfs-pointer', 'not-a-model', 'truncated', 'malformed', 'limit', 'missing-file', 'outside-folder'
 */
export async function openModel(source: ByteSource, beside: Folder, signal?: AbortSignal): Promise<Model> {
  const head = await source.read(0, Math.min(64, source.byteLength), signal);
  checkIsNotSomethingElse(head, source);
  const byContent = formats.find(format => format.matches(head, source.name));
  if (byContent) return byContent.open(source, beside, signal);
  const byName = formats.find(format => source.name.toLowerCase().endsWith(`.${format.id}`));
  if (!byName) throw notAModel(head, source);
  try {
    return await byName.open(source, beside, signal);
  } catch (error) {
    const isGuess =
      byName.id === 'onnx' && error instanceof HeadroomError && ['malformed', 'truncated', 'limit'].includes(error.code);
    throw isGuess ? notAModel(head, source) : error;
  }
}

function checkIsNotSomethingElse(head: Uint8Array, { name: file }: ByteSource): void {
  const text = new TextDecoder('latin1').decode(head);
  if (head.length === 0)
    throw fail('empty', 'This file is empty: it has 0 bytes.', undefined, {
      file,
      hint: sentence('Download or copy the file again.'),
    });
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    throw fail('lfs-pointer', 'This is a Git LFS pointer, not the model. Run git lfs pull.', undefined, { file, offset: 0 });
  if (/^\s*<(!doctype\s+html|html|head|\?xml)/i.test(text))
    throw fail('not-a-model', 'This is a web page saved under the name of a model. Download the file itself.', undefined, {
      file,
      offset: 0,
    });
}

const notAModel = (head: Uint8Array, { name: file }: ByteSource) =>
  fail(
    'not-a-model',
    'This is not an ONNX or safetensors file. It begins with “{x}”.',
    { x: printable(head) },
    { file, offset: 0 },
  );

/** The first bytes as they can be shown: text where it is text, else hexadecimal. */
function printable(head: Uint8Array): string {
  const text = new TextDecoder().decode(head.subarray(0, 24));
  const isText = [...text].every(character => character >= ' ' && character !== '\ufffd' && character !== '\x7f');
  return isText ? text : [...head.subarray(0, 8)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
}
