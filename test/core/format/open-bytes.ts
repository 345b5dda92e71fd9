import assert from 'node:assert/strict';
import { memoryFolder, memorySource } from '../../../src/core/bytes/memory.ts';
import { type Code, HeadroomError } from '../../../src/core/errors.ts';
import { openModel } from '../../../src/core/format/open.ts';
import type { Model } from '../../../src/core/model/model.ts';

/** Opens bytes as a file of that name, with other files beside it. */
export const openBytes = (name: string, bytes: Uint8Array, beside: Readonly<Record<string, Uint8Array>> = {}): Promise<Model> =>
  openModel(memorySource(name, bytes), memoryFolder(Object.entries(beside)));

export async function codeOf(work: Promise<unknown>): Promise<HeadroomError> {
  const error = await work.then(
    () => assert.fail('it should have been rejected'),
    reason => reason,
  );
  assert.ok(error instanceof HeadroomError, `not one of ours: ${error?.stack}`);
  return error;
}

export async function rejectsWith(code: Code, work: Promise<unknown>): Promise<HeadroomError> {
  const error = await codeOf(work);
  assert.equal(error.code, code, error.message);
  return error;
}

/** A safetensors file of a header, given as its JSON, and data. */
export function safetensorsFile(header: string | object, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return new Uint8Array(Buffer.concat([length, json, data]));
}

export const floatEntry = (count: number, start: number) => ({
  dtype: 'F32',
  shape: [count],
  data_offsets: [start, start + 4 * count],
});
