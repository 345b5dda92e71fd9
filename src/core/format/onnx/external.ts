import { insideFolder } from '../../bytes/folder.ts';
import type { ByteSource, Folder } from '../../bytes/source.ts';
import { fail, HeadroomError, type Sentence, sentence } from '../../errors.ts';
import type { DType } from '../../tensor/dtype.ts';
import { packedByteLength, type Shape } from '../../tensor/tensor.ts';
import { readHeader } from '../safetensors/header.ts';
import { shownShape } from '../stored.ts';
import { mostExternalFiles } from './limits.ts';
import type { WireTensor } from './wire-types.ts';

// external_data: [ ("location", path), ("offset", bytes), ("length", bytes), ("checksum", sha1) ]

/** The files that hold the data of a model's tensors, each opened once. */
export class ExternalFiles {
  readonly #model: ByteSource;
  readonly #folder: Folder;
  readonly #opened = new Map<string, ByteSource>();
  readonly #headers = new Map<ByteSource, Promise<Map<string, { offset: number; length: number }>>>();

  constructor(model: ByteSource, folder: Folder) {
    this.#model = model;
    this.#folder = folder;
  }

  get byLocation(): ReadonlyMap<string, ByteSource> {
    return this.#opened;
  }

  get sources(): ByteSource[] {
    return [...this.#opened.values()];
  }

  /**
   * Where the data of a tensor lies: bytes [offset, offset + its length) of a file.
   * throws  'missing-file', 'outside-folder', 'truncated', 'malformed'
   */
  async find(
    tensor: WireTensor,
    dtype: DType,
    shape: Shape,
    signal?: AbortSignal,
  ): Promise<{ source: ByteSource; offset: number }> {
    const keys = new Map(tensor.external);
    const location = keys.get('location');
    if (!location)
      throw this.#malformed(
        tensor,
        sentence('The data of the tensor “{name}” lies in another file, but it does not say in which.', { name: tensor.name }),
      );
    const source = await this.#open(location, tensor);
    const need = packedByteLength(dtype, shape);
    const named = await this.#named(source, keys, tensor, signal);
    const offset = named?.offset ?? this.#count(tensor, 'offset', keys.get('offset')) ?? 0;
    const length = named?.length ?? this.#count(tensor, 'length', keys.get('length')) ?? need;
    if (length !== need && dtype !== 'string')
      throw fail(
        'malformed',
        'The tensor “{name}” of {dtype} {shape} needs {need} bytes, but has {found}.',
        { name: tensor.name, dtype, shape: shownShape(shape), need, found: length },
        { file: this.#model.name, offset: tensor.start },
      );
    if (offset + length > source.byteLength)
      throw fail(
        'truncated',
        'This file is cut short. The tensor “{name}” needs the bytes up to {end}, but the file ends at {length}.',
        { name: tensor.name, end: offset + length, length: source.byteLength },
        { file: source.name, offset },
      );
    return { source, offset };
  }

  /** Without an offset, data in a safetensors file is found by name. */
  async #named(source: ByteSource, keys: ReadonlyMap<string, string>, tensor: WireTensor, signal?: AbortSignal) {
    if (keys.has('offset') || !source.name.endsWith('.safetensors')) return undefined;
    let header = this.#headers.get(source);
    if (!header) {
      header = readHeader(source, signal).then(
        ({ entries, jsonLength }) =>
          new Map(entries.map(entry => [entry.name, { offset: 8 + jsonLength + entry.start, length: entry.end - entry.start }])),
      );
      this.#headers.set(source, header);
    }
    const name = keys.get('tensor_name') ?? keys.get('name') ?? keys.get('key') ?? tensor.name;
    const found = (await header).get(name);
    if (!found)
      throw this.#malformed(
        tensor,
        sentence('The data of the tensor “{name}” should be in {file}, which has no tensor of that name.', {
          name,
          file: source.name,
        }),
      );
    return found;
  }

  async #open(location: string, tensor: WireTensor): Promise<ByteSource> {
    const path = insideFolder(location).join('/');
    if (path === this.#model.name)
      throw this.#malformed(
        tensor,
        sentence('The data of the tensor “{name}” should lie in another file, but {file} is the model itself.', {
          name: tensor.name,
          file: path,
        }),
      );
    const known = this.#opened.get(path);
    if (known) return known;
    if (this.#opened.size >= mostExternalFiles)
      throw fail(
        'limit',
        'The model keeps its weights in more than {limit} files.',
        { limit: mostExternalFiles },
        { file: this.#model.name },
      );
    const source = await this.#folder.open(location);
    if (!source)
      throw fail(
        'missing-file',
        '{file} is missing. The model keeps its weights there.',
        { file: location },
        { file: this.#model.name, offset: tensor.start, hint: sentence('Put it in the folder of the model.') },
      );
    this.#opened.set(path, source);
    return source;
  }

  #count(tensor: WireTensor, key: string, text: string | undefined): number | undefined {
    if (text === undefined || text === '') return undefined;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value))
      throw this.#malformed(
        tensor,
        sentence('The data of the tensor “{name}” lies in another file, at the {key} “{text}”, which is not a number of bytes.', {
          name: tensor.name,
          key,
          text,
        }),
      );
    return value;
  }

  #malformed(tensor: WireTensor, what: Sentence): HeadroomError {
    return new HeadroomError('malformed', what, { file: this.#model.name, offset: tensor.start });
  }
}
