import assert from 'node:assert/strict';
import { memoryFolder, memorySource } from '../../src/core/bytes/memory.ts';
import { HeadroomError } from '../../src/core/errors.ts';
import { openModel } from '../../src/core/format/open.ts';
import { formatOf } from '../../src/core/format/registry.ts';
import { floatEntry, safetensorsFile } from '../core/format/open-bytes.ts';
import { field, floats, integer, join, linear, node, rawTensor, varint } from '../core/format/protobuf.ts';

/**
 * What hostile bytes may do: open as a model whose parts sum to the file and whose tensors can be read or say why not, or be refused
 * with the file's name. Anything else (a TypeError, an allocation that fails, a hang) is a bug.
 */
export async function withstands(name: string, bytes: Uint8Array, what: string): Promise<'opened' | HeadroomError> {
  try {
    const model = await openModel(memorySource(name, bytes), memoryFolder([['d.bin', new Uint8Array(64)]]));
    const sum = model.parts.reduce((total, part) => total + part.byteLength, 0);
    assert.equal(sum, model.byteLength, what);
    for (const tensor of model.tensors.values()) await tensor.bytes().catch(error => checkIsOurs(error, what));
    await formatOf(model.format)
      .plan({ ...model, tensors: new Map(model.tensors) }, name)
      .catch(error => checkIsOurs(error, what));
    return 'opened';
  } catch (error) {
    return checkIsOurs(error, what);
  }
}

function checkIsOurs(error: unknown, what: string): HeadroomError {
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof HeadroomError, `${what}: ${(error as Error)?.stack}`);
  return error;
}

/** A small ONNX file with everything in it that is read. */
export const smallOnnx = (): Uint8Array =>
  join(
    linear(
      field(
        1,
        node(
          'Constant',
          [],
          ['k'],
          field(5, field(1, 'value'), field(5, rawTensor('', 7, [1], new Uint8Array(8))), integer(20, 4)),
        ),
      ),
      field(
        1,
        node(
          'If',
          ['c'],
          ['p'],
          field(5, field(1, 'then_branch'), field(6, field(5, rawTensor('t', 1, [1], floats(1))), field(2, 'b')), integer(20, 5)),
        ),
      ),
      field(
        1,
        node(
          'Sum',
          ['y'],
          ['z'],
          field(5, field(1, 'axes'), integer(8, 1), field(8, varint(300)), integer(20, 7)),
          field(9, field(1, 'key'), field(2, 'value')),
        ),
      ),
      field(5, join(integer(1, 3), integer(2, 7), field(7, varint(1), varint(-1), varint(300)), field(8, 'typed'))),
      field(
        5,
        join(integer(1, 2), integer(2, 1), field(8, 'out'), field(13, field(1, 'location'), field(2, 'd.bin')), integer(14, 1)),
      ),
      field(
        15,
        field(1, rawTensor('sparse', 1, [1], floats(1))),
        field(2, rawTensor('', 7, [1], new Uint8Array(8))),
        integer(3, 5),
      ),
    ),
    field(14, field(1, 'key'), field(2, 'value')),
    field(25, field(1, 'f'), field(7, node('Relu', ['a'], ['b'])), field(10, 'local')),
  );

export const smallSafetensors = (): Uint8Array =>
  safetensorsFile(
    { __metadata__: { format: 'pt' }, a: floatEntry(2, 0), 'b.weight': { dtype: 'F16', shape: [2, 2], data_offsets: [8, 16] } },
    new Uint8Array(16),
  );
