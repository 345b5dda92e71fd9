import type { Output } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WriteOptions } from '../format.ts';
import { copyOf, type FileLayout, fileOf, type Piece } from '../pieces.ts';
import { originOf } from '../stored.ts';
import { isUntouched, writeLayout } from '../write.ts';
import type { OnnxOrigin } from './assemble.ts';
import { Splice } from './splice.ts';

/** Protobuf messages end at 2^31 - 1 bytes; a megabyte is left for what others add to a model. */
const largestFile = 2 ** 31 - 2 ** 20;

/** Smaller tensors stay in the graph, where shape inference finds them (onnx's own save_model leaves them there too). */
const smallestExternal = 1024;

/** A cache line, and the widest vector registers: what is mapped into memory can be computed on where it lies. */
const alignment = 64;

export async function planOnnx(model: Model, name: string): Promise<readonly FileLayout[]> {
  return layoutOnce(model, name);
}

export async function writeOnnx(model: Model, output: Output, name: string, options?: WriteOptions): Promise<void> {
  await writeLayout(model, await layoutOnce(model, name), output, options);
}

/** The last of each model: it is asked for its size, written, and compared with its size again. */
const layouts = new WeakMap<Model, { readonly name: string; readonly layout: Promise<FileLayout[]> }>();

function layoutOnce(model: Model, name: string): Promise<FileLayout[]> {
  const known = layouts.get(model);
  if (known?.name === name) return known.layout;
  const layout = layoutOnnx(model, name);
  layouts.set(model, { name, layout });
  layout.catch(() => layouts.delete(model));
  return layout;
}

/** `limit` in bytes of the model file: a larger one keeps its data in a file beside it. */
export async function layoutOnnx(model: Model, name: string, limit = largestFile): Promise<FileLayout[]> {
  const origin = originOf(model) as OnnxOrigin | undefined;
  if (!model.graph || !origin?.wire || !origin.model)
    throw fail('unsupported', 'Only a model with a graph can be written as ONNX.', undefined, { file: model.name });
  const sideFiles = [...origin.external].map(([location, source]) => copyOf(source, location));
  if (isUntouched(model)) return [copyOf(origin.source, name), ...sideFiles];
  const kept = sideFiles.filter(file => file.copyOf && neededByCopies(origin).has(file.copyOf.name));
  const whole = fileOf(name, await new Splice(model, origin.model, origin.source, () => undefined).model(origin.wire));
  if (whole.byteLength <= limit) return [whole, ...kept];
  const data = new DataFile(unusedName(`${name}.data`, kept));
  const pieces = await new Splice(model, origin.model, origin.source, tensor => data.place(tensor)).model(origin.wire);
  const graph = fileOf(name, pieces);
  if (graph.byteLength > limit)
    throw fail(
      'limit',
      'The graph alone has {length} bytes; an ONNX file holds {limit}.',
      { length: graph.byteLength, limit },
      { file: name },
    );
  return [graph, fileOf(data.name, data.pieces), ...kept];
}

/** External files that nodes, graphs within nodes and sparse tensors refer to: they are copied as they are, so their data must be there too. */
const neededByCopies = ({ embedded }: OnnxOrigin): Set<string> =>
  new Set(embedded.flatMap(tensor => (tensor.isExternal && tensor.place ? [tensor.place.file] : [])));

function unusedName(wanted: string, files: readonly FileLayout[]): string {
  let name = wanted;
  for (let count = 2; files.some(file => file.name === name); count++) name = `${wanted}${count}`;
  return name;
}

/** NAME.onnx.data: the data of large tensors, one after another. */
class DataFile {
  readonly name: string;
  readonly pieces: Piece[] = [];
  #end = 0;

  constructor(name: string) {
    this.name = name;
  }

  place(tensor: Tensor): { location: string; offset: number } | undefined {
    if (tensor.byteLength < smallestExternal) return undefined;
    const padding = (alignment - (this.#end % alignment)) % alignment;
    if (padding > 0) this.pieces.push({ kind: 'bytes', bytes: new Uint8Array(padding) });
    const offset = this.#end + padding;
    this.pieces.push({ kind: 'tensor', tensor });
    this.#end = offset + tensor.byteLength;
    return { location: this.name.split('/').at(-1)!, offset };
  }
}
