import { InferenceSession, Tensor } from 'onnxruntime-node';

// Runs ONNX models in onnxruntime-node, the version named in package.json.

export type Rows = readonly (readonly number[])[];

/** Inputs of a BERT by name: ids as given; a mask of ones and types of 0 where none are given. Only what the model asks for is fed. */
export async function run(
  model: Uint8Array | string,
  ids: Rows,
  mask?: Rows,
  graphOptimizationLevel: 'disabled' | 'all' = 'all',
): Promise<Record<string, Tensor>> {
  const options = { intraOpNumThreads: 1, logSeverityLevel: 3, graphOptimizationLevel } as const;
  const session = await InferenceSession.create(model as string, options);
  try {
    return await runSession(session, ids, mask);
  } finally {
    await session.release();
  }
}

export async function runSession(session: InferenceSession, ids: Rows, mask?: Rows): Promise<Record<string, Tensor>> {
  const feeds: Record<string, Tensor> = {};
  for (const name of session.inputNames) {
    const rows = name.includes('mask') ? (mask ?? ids.map(row => row.map(() => 1))) : ids;
    feeds[name] = int64(name.includes('type') ? ids.map(row => row.map(() => 0)) : rows);
  }
  return (await session.run(feeds)) as Record<string, Tensor>;
}

const int64 = (rows: Rows): Tensor =>
  new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);

export const numbersOf = (tensor: Tensor): Float32Array => tensor.data as Float32Array;

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Ids that no fixture's vocabulary lacks, the same each time. */
export function someIds(batch: number, length: number, seed = 1): number[][] {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 5 + ((state >>> 8) % 90);
  };
  return Array.from({ length: batch }, () => Array.from({ length }, next));
}
