import type { ByteSource } from '../../bytes/source.ts';
import { fail, HeadroomError, type Sentence, sentence } from '../../errors.ts';
import { type DType, dtypeOfSafetensors, dtypes } from '../../tensor/dtype.ts';
import { shownShape } from '../stored.ts';
import { strictProblem } from './strict.ts';
import { checkStructure } from './structure.ts';

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
  checkStructure(json, source, 8);
  const { entries, metadata } = parseHeader(json, file);
  checkEntries(entries, 8 + jsonLength, source);
  return { jsonLength, entries, metadata };
}

const cutShort = (source: ByteSource, described: number, offset: number) =>
  fail(
    'truncated',
    'This file is cut short. Its header describes {a} bytes, but the file ends at {b}.',
    { a: described, b: source.byteLength },
    { file: source.name, offset, hint: sentence('Download or copy the file again.') },
  );

type Broken = (what: Sentence) => HeadroomError;

function parseHeader(json: Uint8Array, file: string): { entries: Entry[]; metadata: Record<string, string> } {
  const broken: Broken = what => new HeadroomError('malformed', what, { file, offset: 8 });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json));
  } catch (error) {
    throw broken(
      error instanceof SyntaxError
        ? sentence('The header cannot be read: {problem}.', { problem: error.message })
        : sentence('The header cannot be read: it is not UTF-8.'),
    );
  }
  if (!isObject(value)) throw broken(sentence('The header cannot be read: it is not a JSON object.'));
  const problem = strictProblem(json);
  if (problem) throw broken(problem);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, info] of Object.entries(value)) {
    if (name === '__metadata__') metadata = readMetadata(info, broken);
    else entries.push(readEntry(name, info, broken));
  }
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  return { entries, metadata };
}

/** The object that was parsed, not a copy: it may be large, and its keys may be anything. */
function readMetadata(info: unknown, broken: Broken): Record<string, string> {
  if (info === null) return {};
  if (!isObject(info)) throw broken(sentence('The header cannot be read: __metadata__ is not an object.'));
  for (const key in info)
    if (typeof info[key] !== 'string')
      throw broken(sentence('The header cannot be read: “{key}” in __metadata__ is not text.', { key }));
  return info as Record<string, string>;
}

function readEntry(name: string, info: unknown, broken: Broken): Entry {
  if (!isObject(info)) throw broken(sentence('The header cannot be read: “{name}” is not an object.', { name }));
  const { dtype: word, shape, data_offsets: offsets } = info;
  if (typeof word !== 'string') throw broken(sentence('The header cannot be read: “{name}” has no dtype.', { name }));
  const dtype = dtypeOfSafetensors(word);
  if (!dtype) throw broken(sentence('The tensor “{name}” has the type {word}, which safetensors does not have.', { name, word }));
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw broken(sentence('The header cannot be read: “{name}” has no valid shape.', { name }));
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw broken(sentence('The header cannot be read: “{name}” has no valid data_offsets.', { name }));
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
    const wrong = (what: Sentence, code: 'malformed' | 'limit' = 'malformed') =>
      new HeadroomError(code, what, { file: source.name, offset: dataStart + entry.start });
    const { name, dtype } = entry;
    if (entry.start !== previous || entry.end < entry.start)
      throw wrong(
        sentence('The tensor “{name}” lies at {start} to {end}, but the one before it ends at {previous}.', {
          name,
          start: entry.start,
          end: entry.end,
          previous,
        }),
      );
    const bits = bitsOf(entry);
    const found = entry.end - entry.start;
    previous = entry.end;
    if (bits === 8 * found) continue;
    const shape = shownShape(entry.shape);
    if (bits === undefined)
      throw wrong(
        sentence('The tensor “{name}” has the shape {shape}, more elements than can be counted.', { name, shape }),
        'limit',
      );
    if (bits % 8 !== 0)
      throw wrong(sentence('The tensor “{name}” of {dtype} {shape} does not end at a whole byte.', { name, dtype, shape }));
    throw wrong(
      sentence('The tensor “{name}” of {dtype} {shape} needs {need} bytes, but has {found}.', {
        name,
        dtype,
        shape,
        need: bits / 8,
        found,
      }),
    );
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
    { file: source.name, offset: dataStart + first.start, hint: sentence('Download or copy the file again.') },
  );
}

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
