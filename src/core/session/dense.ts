import type { Linear, Table } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import { computed } from '../passes/computed.ts';
import { type Acting, acting } from '../report/acting.ts';
import type { Body } from '../rewrite/apply.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A checkpoint whose quantized matrices are the numbers they stand for, in fp32, computed when they are read: what a graph can be made
 * of. Forms that are not understood stay as they are.
 */
export async function asDense({ model, anatomy }: Body, signal?: AbortSignal): Promise<Body> {
  const organs = [...anatomy.linears, ...anatomy.tables].filter(({ form, packed }) => form === 'quantized' || packed);
  if (model.graph || organs.length === 0) return { model, anatomy };
  const tensors = new Map(model.tensors);
  let dense = 0;
  for (const organ of organs) {
    const found = await acting(organ, signal);
    if (!found || found.transposed) continue;
    for (const name of namesOf(organ)) tensors.delete(name);
    const name = organ.weight.name.replace(packedEnd, 'weight');
    tensors.set(name, denseTensor(name, found));
    dense++;
  }
  if (dense === 0) return { model, anatomy };
  const { quantization_config: _, ...config } = model.config;
  const plain = { ...model, tensors, config: dense === organs.length ? config : model.config };
  return { model: plain, anatomy: await detect(plain, signal) };
}

/** What tools call the tensor that holds a packed matrix. */
const packedEnd = /(weight_packed|qweight|weight\._data(\._data)?|_weight_qdata|weight:qdata)$/;

/** Every tensor that a quantized matrix is kept in. */
function namesOf(organ: Linear | Table): string[] {
  const { weight, scale, zeroPoint, packed } = organ;
  const sums = 'sums' in organ ? organ.sums : undefined;
  return [weight, scale, zeroPoint, sums, ...(packed?.tensors ?? [])].flatMap(tensor => tensor?.name ?? []);
}

function denseTensor(name: string, { rows, columns, rowsOf }: Acting): Tensor {
  const row = 4 * columns;
  return computed(name, 'fp32', [rows, columns], async (start, end, signal) => {
    const first = Math.floor(start / row);
    const values = await rowsOf(first, Math.ceil(end / row), signal);
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).subarray(start - first * row, end - first * row);
  });
}
