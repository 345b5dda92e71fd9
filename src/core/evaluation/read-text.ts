import { basename } from 'node:path';
import { openFileSource } from '../bytes/file.ts';
import { fail, sentence } from '../errors.ts';

/** Texts are held in memory whole; a task of this size would run for days. */
const maxBytes = 256 * 2 ** 20;

/**
 * A text file as UTF-8, or as UTF-16 where a byte order mark says so (Windows' Notepad and PowerShell write that); without the mark.
 * throws  'malformed' with the line that is not UTF-8, 'limit', 'not-found'
 */
export async function readText(path: string): Promise<string> {
  const file = basename(path);
  const source = await openFileSource(path);
  try {
    if (source.byteLength > maxBytes)
      throw fail(
        'limit',
        'This text has {bytes} bytes; at most {limit} are read.',
        { bytes: source.byteLength, limit: maxBytes },
        { file },
      );
    const bytes = await source.read(0, source.byteLength);
    const utf16 = utf16Of(bytes);
    try {
      return new TextDecoder(utf16 ?? 'utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw utf16 ? notUtf16(file) : notUtf8(file, firstBadLine(bytes));
    }
  } finally {
    await source.close();
  }
}

/** A JSON file. throws 'malformed' */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw fail('malformed', 'This is not JSON: {cause}', { cause: why }, { file: basename(path), cause });
  }
}

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}

const notUtf16 = (file: string) =>
  fail(
    'malformed',
    'This text begins as UTF-16 and is not.',
    {},
    { file, hint: sentence('Save it again with the encoding UTF-8.') },
  );

const notUtf8 = (file: string, line: number) =>
  fail(
    'malformed',
    'This text is not UTF-8: line {line}.',
    { line },
    { file, hint: sentence('Save it again with the encoding UTF-8.') },
  );

function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end;
  }
  return line;
}
