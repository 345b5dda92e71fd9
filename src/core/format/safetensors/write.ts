import type { Output } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import { type DType, dtypes } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WriteOptions } from '../format.ts';
import { copyOf, type FileLayout, fileOf, type Piece, tensorPiece } from '../pieces.ts';
import { originOf } from '../stored.ts';
import { isUntouched, writeLayout } from '../write.ts';
import { storedUnder } from './bitmasks.ts';
import { largestHeader } from './header.ts';
import type { SafetensorsOrigin } from './read.ts';

/** Where transformers begins a new file (save_pretrained's max_shard_size, "5GB"). */
const largestFile = 5_000_000_000;

/** The order of the reference library: by its list of dtypes from the last to the first, then by name in UTF-8. */
const order: readonly DType[] = [
  'uint64',
  'int64',
  'fp64',
  'complex64',
  'fp32',
  'uint32',
  'int32',
  'bf16',
  'fp16',
  'uint16',
  'int16',
  'fp8_e5m2fnuz',
  'fp8_e4m3fnuz',
  'fp8_e8m0',
  'fp8_e4m3fn',
  'fp8_e5m2',
  'int8',
  'uint8',
  'fp6_e3m2',
  'fp6_e2m3',
  'fp4_e2m1',
  'bool',
];

export async function planSafetensors(model: Model, name: string): Promise<readonly FileLayout[]> {
  return layoutSafetensors(model, name);
}

export async function writeSafetensors(model: Model, output: Output, name: string, options?: WriteOptions): Promise<void> {
  await writeLayout(model, layoutSafetensors(model, name), output, options);
}

/** `limit` in bytes of tensors per file; more make several, with an index, which then is the first. */
export function layoutSafetensors(model: Model, name: string, limit = largestFile): FileLayout[] {
  if (!model.complete)
    throw fail('missing-file', 'A file of this model is missing, so it cannot be written.', undefined, { file: model.name });
  const stem = name.replace(/(-\d+-of-\d+)?(\.safetensors)?(\.index\.json)?$/, '');
  const origin = originOf(model) as SafetensorsOrigin | undefined;
  if (isUntouched(model) && origin?.shards) return layoutCopy(origin, stem, name);
  const tensors = [...model.tensors].flatMap(([tensor, value]) => storedUnder(tensor, value)).sort(byReferenceOrder);
  const groups = inGroups(tensors, limit);
  if (groups.length === 1) {
    const single = /\.json$|-\d+-of-\d+\.safetensors$/.test(name) ? `${stem}.safetensors` : name;
    return [fileOf(single, piecesOf(groups[0]!, model.metadata))];
  }
  const files = groups.map((group, i) => fileOf(shardName(stem, i, groups.length), piecesOf(group, model.metadata)));
  const map = new Map(groups.flatMap((group, i) => group.map(([tensor]) => [tensor, files[i]!.name] as const)));
  const totalSize = tensors.reduce((sum, [, tensor]) => sum + tensor.byteLength, 0);
  return [indexFile(stem, map, totalSize), ...files];
}

function layoutCopy({ shards, index }: SafetensorsOrigin, stem: string, name: string): FileLayout[] {
  if (!index) return [copyOf(shards[0]!.source, name)];
  const isSameName = index.name === `${stem}.safetensors.index.json`;
  if (isSameName) return [copyOf(index, index.name), ...shards.map(({ source }) => copyOf(source, source.name))];
  const files = shards.map(({ source }, i) => copyOf(source, shardName(stem, i, shards.length)));
  const map = new Map(shards.flatMap(({ header }, i) => header.entries.map(entry => [entry.name, files[i]!.name] as const)));
  const totalSize = shards.reduce((sum, { header }) => sum + (header.entries.at(-1)?.end ?? 0), 0);
  return [indexFile(stem, map, totalSize), ...files];
}

const shardName = (stem: string, i: number, count: number): string =>
  `${stem}-${String(i + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;

/** As transformers writes it: indented by two, names sorted. */
function indexFile(stem: string, map: ReadonlyMap<string, string>, totalSize: number): FileLayout {
  const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const entries = sorted.map(([tensor, file]) => `    ${JSON.stringify(tensor)}: ${JSON.stringify(file)}`).join(',\n');
  const text = `{\n  "metadata": {\n    "total_size": ${totalSize}\n  },\n  "weight_map": {\n${entries}\n  }\n}\n`;
  return fileOf(`${stem}.safetensors.index.json`, [{ kind: 'bytes', bytes: Buffer.from(text) }]);
}

type Named = readonly [string, Tensor];

function byReferenceOrder([a, { dtype: dtypeA }]: Named, [b, { dtype: dtypeB }]: Named): number {
  return order.indexOf(dtypeA) - order.indexOf(dtypeB) || Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function inGroups(tensors: readonly Named[], limit: number): Named[][] {
  const groups: Named[][] = [[]];
  let size = 0;
  for (const named of tensors) {
    if (size > 0 && size + named[1].byteLength > limit) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(named);
    size += named[1].byteLength;
  }
  return groups;
}

function piecesOf(tensors: readonly Named[], metadata: Readonly<Record<string, string>>): Piece[] {
  let at = 0;
  const entries: string[] = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  for (const [name, tensor] of tensors) {
    const word = dtypes[tensor.dtype].safetensors;
    if (word === undefined)
      throw fail('unsupported', 'safetensors cannot store the tensor “{name}”: it has no type for {dtype}.', {
        name,
        dtype: tensor.dtype,
      });
    const end = at + tensor.byteLength;
    entries.push(`${JSON.stringify(name)}:{"dtype":"${word}","shape":[${tensor.shape.join(',')}],"data_offsets":[${at},${end}]}`);
    at = end;
  }
  return [
    { kind: 'bytes', bytes: headerBytes(`{${entries.join(',')}}`) },
    ...tensors.map(([name, tensor]) => tensorPiece(tensor, name)),
  ];
}

/** Padded with spaces, so that the tensors begin at a multiple of 8. */
function headerBytes(json: string): Uint8Array {
  const text = Buffer.from(json);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > largestHeader)
    throw fail('limit', 'The header claims {length} bytes; safetensors allows {limit}.', { length, limit: largestHeader });
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  text.copy(bytes, 8);
  return bytes;
}
