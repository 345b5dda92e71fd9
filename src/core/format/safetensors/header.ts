import type { ByteSource } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import { type DType, dtypeOfSafetensors, dtypes } from '../../tensor/dtype.ts';
import { strictProblem } from './strict.ts';

// u64 little-endian N | N bytes of JSON, padded with spaces | the tensors' bytes without gaps, in any order of names
//   { "__metadata__": { text: text }, NAME: { "dtype": WORD, "shape": [n], "data_offsets": [start, end] } }

/** The reference library's own cap (MAX_HEADER_SIZE). */
export const largestHeader = 100_000_000;

export interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes [start, end) after the header. */
  readonly start: number;
  readonly end: number;
}

export interface Header {
  /** Length of the JSON, padding included; tensors begin at 8 + jsonLength. */
  readonly jsonLength: number;
  /** In order of their place in the file. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks a safetensors header. The verdicts are those of the reference library (safetensors 0.8), in its order.
 * throws  'truncated', 'limit', 'malformed', each with file and offset
 */
export async function readHeader(source: ByteSource, signal?: AbortSignal): Promise<Header> {
  const file = source.name;
  if (source.byteLength < 8) throw cutShort(source, 8, 0);
  const length = await source.read(0, 8, signal);
  const jsonLength = Number(new DataView(length.buffer, length.byteOffset, 8).getBigUint64(0, true));
  if (jsonLength > largestHeader)
    throw fail(
      'limit',
      'The header claims {length} bytes; safetensors allows {limit}.',
      { length: jsonLength, limit: largestHeader },
      { file, offset: 0 },
    );
  if (8 + jsonLength > source.byteLength) throw cutShort(source, 8 + jsonLength, 0);
  const json = await source.read(8, jsonLength, signal);
  const { entries, metadata } = parseHeader(json, file);
  checkEntries(entries, 8 + jsonLength, source);
  return { jsonLength, entries, metadata };
}

const cutShort = (source: ByteSource, described: number, offset: number) =>
  fail(
    'truncated',
    'This file is cut short. Its header describes {a} bytes, but the file ends at {b}.',
    { a: described, b: source.byteLength },
    { file: source.name, offset, hint: { text: 'Download or copy the file again.' } },
  );

function parseHeader(json: Uint8Array, file: string): { entries: Entry[]; metadata: Record<string, string> } {
  const broken = (problem: string) =>
    fail('malformed', 'The header cannot be read: {problem}.', { problem }, { file, offset: 8 });
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    value = JSON.parse(text);
  } catch (error) {
    throw broken(error instanceof SyntaxError ? error.message : 'it is not UTF-8');
  }
  if (!isObject(value)) throw broken('it is not a JSON object');
  const problem = strictProblem(text);
  if (problem) throw broken(problem);
  const entries: Entry[] = [];
  const metadata: Record<string, string> = {};
  for (const [name, info] of Object.entries(value)) {
    if (name === '__metadata__') readMetadata(info, metadata, broken);
    else entries.push(readEntry(name, info, broken));
  }
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  return { entries, metadata };
}

function readMetadata(info: unknown, into: Record<string, string>, broken: (problem: string) => Error): void {
  if (info === null) return;
  if (!isObject(info)) throw broken('__metadata__ is not an object');
  for (const [key, text] of Object.entries(info)) {
    if (typeof text !== 'string') throw broken(`__metadata__ has a value that is not text: ${key}`);
    Object.defineProperty(into, key, { value: text, enumerable: true, configurable: true, writable: true });
  }
}

function readEntry(name: string, info: unknown, broken: (problem: string) => Error): Entry {
  if (!isObject(info)) throw broken(`“${name}” is not an object`);
  const { dtype: word, shape, data_offsets: offsets } = info;
  if (typeof word !== 'string') throw broken(`“${name}” has no dtype`);
  const dtype = dtypeOfSafetensors(word);
  if (!dtype) throw broken(`“${name}” has the unknown dtype ${word}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw broken(`“${name}” has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw broken(`“${name}” has no valid data_offsets`);
  return { name, dtype, shape, start: offsets[0]!, end: offsets[1]! };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && !Object.is(value, -0);

/** Tensors follow each other without gap or overlap and end where the file ends. */
function checkEntries(entries: readonly Entry[], dataStart: number, source: ByteSource): void {
  let previous = 0;
  for (const entry of entries) {
    const wrong = (text: string, args: Record<string, string | number>, code: 'malformed' | 'limit' = 'malformed') =>
      fail(code, text, { name: entry.name, ...args }, { file: source.name, offset: dataStart + entry.start });
    if (entry.start !== previous || entry.end < entry.start)
      throw wrong('The tensor “{name}” lies at {start} to {end}, but the one before it ends at {previous}.', {
        start: entry.start,
        end: entry.end,
        previous,
      });
    const bits = bitsOf(entry);
    if (bits === undefined)
      throw wrong(
        'The tensor “{name}” has the shape {shape}, more elements than can be counted.',
        { shape: shown(entry) },
        'limit',
      );
    if (bits % 8 !== 0)
      throw wrong('The tensor “{name}” of {dtype} {shape} does not end at a whole byte.', {
        dtype: entry.dtype,
        shape: shown(entry),
      });
    if (bits / 8 !== entry.end - entry.start)
      throw wrong('The tensor “{name}” of {dtype} {shape} needs {need} bytes, but has {found}.', {
        dtype: entry.dtype,
        shape: shown(entry),
        need: bits / 8,
        found: entry.end - entry.start,
      });
    previous = entry.end;
  }
  checkEnd(entries, dataStart, previous, source);
}

function checkEnd(entries: readonly Entry[], dataStart: number, described: number, source: ByteSource): void {
  const end = dataStart + described;
  if (end < source.byteLength)
    throw fail(
      'malformed',
      'The header describes {described} bytes, but the file has {found}.',
      { described: end, found: source.byteLength },
      { file: source.name, offset: end },
    );
  if (end === source.byteLength) return;
  const first = entries.find(entry => dataStart + entry.end > source.byteLength)!;
  throw fail(
    'truncated',
    'This file is cut short. Its header describes {a} bytes, but the file ends at {b}. The first tensor without all of its data is “{name}”.',
    { a: end, b: source.byteLength, name: first.name },
    { file: source.name, offset: dataStart + first.start, hint: { text: 'Download or copy the file again.' } },
  );
}

const shown = (entry: Entry): string => `[${entry.shape.join(', ')}]`;

/** undefined where the reference library says ValidationOverflow: it multiplies in 64 bits, we in 53. */
function bitsOf({ dtype, shape }: Entry): number | undefined {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (elements > Number.MAX_SAFE_INTEGER) return undefined;
  }
  const bits = elements * dtypes[dtype].bits;
  return bits > Number.MAX_SAFE_INTEGER ? undefined : bits;
}
