import type { InferenceSession } from 'onnxruntime-node';
import { Tensor } from 'onnxruntime-node';

/** Sizes for axes without one. */
const FREE = 6;

/** Elements of an input; a model that needs more tests something else. */
const MOST = 1_000_000;

/** Something for each input of any model, the same each time: small ids, masks of ones, token types of 0, numbers between -1 and 1. */
export function anyInputs(session: InferenceSession): Record<string, Tensor> {
  const symbols = new Map<string, number>();
  return Object.fromEntries(
    session.inputMetadata.map(input => {
      if (!input.isTensor) throw new Error(`${input.name} is no tensor`);
      const shape = input.shape.map(axis => {
        if (typeof axis === 'number') return axis > 0 ? axis : FREE;
        if (!symbols.has(axis)) symbols.set(axis, /batch/i.test(axis) || symbols.size === 0 ? 2 : FREE);
        return symbols.get(axis)!;
      });
      return [input.name, anyTensor(input.name, input.type, shape)];
    }),
  );
}

function anyTensor(name: string, type: string, shape: number[]): Tensor {
  const count = shape.reduce((product, axis) => product * axis, 1);
  if (count > MOST) throw new Error(`${name} has ${count} elements`);
  const whole = (i: number): number =>
    /mask/i.test(name) ? 1 : /type|segment|input3|past/i.test(name) ? 0 : /length|index/i.test(name) ? 1 : 3 + ((i * 7) % 11);
  if (type === 'int64')
    return new Tensor(
      'int64',
      BigInt64Array.from({ length: count }, (_, i) => BigInt(whole(i))),
      shape,
    );
  if (type === 'int32')
    return new Tensor(
      'int32',
      Int32Array.from({ length: count }, (_, i) => whole(i)),
      shape,
    );
  if (type === 'bool') return new Tensor('bool', new Uint8Array(count).fill(1), shape);
  if (type === 'float32')
    return new Tensor(
      'float32',
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7)),
      shape,
    );
  throw new Error(`${name} is ${type}`);
}
