import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { constantOf } from './constant.ts';
import type { Wiring } from './wiring.ts';

/**
 * The width of a head, from the shape that splits a matrix's output into heads: [batch, sequence, heads, width], or PyTorch's
 * [sequence, batch * heads, width]; [batch, heads, width, sequence] behind a convolution. A shape is one constant, or a Concat whose parts may be computed. undefined when no split says it.
 */
export async function headWidth(
  wiring: Wiring,
  splits: readonly Node[],
  out: number,
  signal?: AbortSignal,
  isConvolution = false,
): Promise<number | undefined> {
  for (const node of splits) {
    const sizes = await sizesIn(wiring, node.inputs[1] ?? '', out, signal);
    if (!sizes || sizes.length < 3) continue;
    if (isConvolution) {
      const [, heads = 0, width = 0] = sizes;
      if (sizes.length === 4 && heads * width === out) return width;
      continue;
    }
    const [heads, width] = sizes.slice(-2) as [number, number];
    if (sizes.length === 3) {
      if (width > 0 && out % width === 0 && heads !== 3) return width;
      continue;
    }
    if (width > 0 && width < out && out % width === 0 && (heads <= 0 || heads * width === out)) return width;
    if (width > 0 && width === out && heads === 1) return width;
    if (width <= 0 && heads > 0 && out % heads === 0) return out / heads;
    if (width === out && heads <= 0) return width;
    if (sizes.length >= 5 && sizes.at(-3) === 3 && heads * width === out) return width;
  }
  return undefined;
}

/** The numbers of a shape; 0 or less where they are left to be inferred or computed. TensorFlow computes shapes in int32 and casts. */
async function sizesIn(wiring: Wiring, shape: string, out: number, signal?: AbortSignal): Promise<number[] | undefined> {
  const whole = constantOf(wiring, shape)?.tensor;
  if (whole) return integersOf(whole, signal);
  let parts = wiring.producer.get(shape);
  if (parts?.opType === 'Cast') parts = wiring.producer.get(parts.inputs[0] ?? '');
  if (parts?.opType !== 'Concat') return undefined;
  const { length } = parts.inputs;
  if (length > 8) return undefined;
  const sizes = parts.inputs.map((part, index) =>
    index === 0 || (index < length - 2 && length < 4) ? 0 : single(wiring, part, out, signal),
  );
  return Promise.all(sizes);
}

/** A single number; the width of the data divided by one (PyTorch computes a head's width so); 0 for any other. */
async function single(wiring: Wiring, value: string, out: number, signal?: AbortSignal): Promise<number> {
  const maker = past(wiring, value, ['Unsqueeze']);
  const numbers = await numbersAt(wiring, maker?.value ?? value, signal);
  if (numbers) return numbers.length === 1 ? numbers[0]! : 0;
  const division = past(wiring, value, ['Unsqueeze', 'Cast', 'Floor'])?.node;
  if (division?.opType !== 'Div') return 0;
  const divisor = await numbersAt(wiring, division.inputs[1] ?? '', signal);
  return divisor?.length === 1 && divisor[0]! > 0 && out % divisor[0]! === 0 ? out / divisor[0]! : 0;
}

const numbersAt = async (wiring: Wiring, value: string, signal?: AbortSignal): Promise<number[] | undefined> => {
  const tensor = constantOf(wiring, value)?.tensor;
  return tensor && integersOf(tensor, signal);
};

/** The value before operators that leave a number as it is, and what makes it. */
function past(
  wiring: Wiring,
  value: string,
  operators: readonly string[],
): { value: string; node: Node | undefined } | undefined {
  for (let steps = 0; steps < 8; steps++) {
    const node = wiring.producer.get(value);
    if (!node || !operators.includes(node.opType)) return { value, node };
    value = node.inputs[0] ?? '';
  }
  return undefined;
}

/** A tensor of a few whole numbers. */
export async function integersOf(tensor: Tensor, signal?: AbortSignal): Promise<number[] | undefined> {
  if ((tensor.dtype !== 'int64' && tensor.dtype !== 'int32') || tensor.byteLength > 64) return undefined;
  const bytes = await tensor.bytes(0, tensor.byteLength, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at =
    tensor.dtype === 'int64' ? (i: number) => Number(view.getBigInt64(i * 8, true)) : (i: number) => view.getInt32(i * 4, true);
  return Array.from({ length: bytes.byteLength / (tensor.dtype === 'int64' ? 8 : 4) }, (_, index) => at(index));
}
