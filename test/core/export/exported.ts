import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Files, memoryOutput } from '../../../src/core/bytes/memory.ts';
import type { Pooling } from '../../../src/core/export/pooling.ts';
import { onnx } from '../../../src/core/format/onnx/onnx.ts';
import type { Body } from '../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { generated, noGenerated } from '../passes/fixtures.ts';

/** Rows of the batch; questions with rows of choices. */
export type Ids = readonly (number | Ids)[];

const sizesOf = (ids: Ids): number[] => [ids.length, ...(Array.isArray(ids[0]) ? sizesOf(ids[0]) : [])];

/** Folders with a checkpoint and what PyTorch makes of it: `MODEL_FOLDER/model.safetensors` or a sharded one. */
export const checkpoints: readonly { readonly folder: string; readonly path: string; readonly expected: any }[] = noGenerated
  ? []
  : readdirSync(generated).flatMap(folder => {
      const path = ['model.safetensors', 'model.safetensors.index.json']
        .map(name => join(generated, folder, name))
        .find(existsSync);
      if (!path) return [];
      return [{ folder, path, expected: JSON.parse(readFileSync(join(generated, folder, 'expected.json'), 'utf8')) }];
    });

/** A checkpoint exported into memory. */
export async function exported(path: string, pooling?: Pooling): Promise<Uint8Array> {
  const input = await openPath(path);
  try {
    return await written(input, pooling);
  } finally {
    await input.close();
  }
}

/** A checkpoint that is open, or made in memory, exported into memory. */
export async function written(body: Body, pooling?: Pooling): Promise<Uint8Array> {
  const { model } = await asGraph(body, pooling);
  const files: Files = new Map();
  const output = memoryOutput(files);
  await onnx.write(model, output, 'model.onnx');
  await output.commit();
  return files.get('model.onnx')!;
}

export interface Outputs {
  readonly names: readonly string[];
  readonly inputs: readonly string[];
  readonly values: Readonly<Record<string, Tensor>>;
}

/** Every output for inputs by name. */
export async function outputsOf(model: Uint8Array | string, inputs: Readonly<Record<string, Ids>>): Promise<Outputs> {
  const session = await InferenceSession.create(model as string, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds = session.inputNames.map(name => {
      const ids = inputs[name]!;
      const numbers = ids.flat(2) as number[];
      return [name, new Tensor('int64', BigInt64Array.from(numbers, BigInt), sizesOf(ids))] as const;
    });
    const values = (await session.run(Object.fromEntries(feeds))) as Record<string, Tensor>;
    return { names: session.outputNames, inputs: session.inputNames, values };
  } finally {
    await session.release();
  }
}

export const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    if (!(distance <= most)) most = distance; // NaN too
  }
  return most;
};
