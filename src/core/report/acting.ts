import type { Compact, Factors, Linear, Table } from '../anatomy/anatomy.ts';
import { throwIfCancelled } from '../errors.ts';
import { floatsOf } from '../kernels/floats.ts';
import { type Bytes8, kernels } from '../kernels/kernels.ts';
import { compactValues } from '../kernels/linear-algebra/compact-values.ts';
import { products } from '../kernels/linear-algebra/product.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { actingBlocks } from './acting-blocks.ts';
import { actingWords } from './acting-words.ts';

/** A matrix as it acts, by rows of the way it is stored. */
export interface Acting {
  readonly rows: number;
  readonly columns: number;
  /** Stored [in, out]. Tables are not. */
  readonly transposed: boolean;
  /** Rows [first, last) in f32. To be read, not written. */
  rowsOf(first: number, last: number, signal?: AbortSignal): Promise<Float32Array>;
}

/** The matrix of an organ with its integers multiplied out; undefined for a form that is not understood. */
export async function acting(organ: Linear | Table, signal?: AbortSignal): Promise<Acting | undefined> {
  const apart = (await actingBlocks(organ, signal)) ?? (await actingWords(organ, signal));
  if (apart) return apart;
  const { weight, scale } = organ;
  if ('out' in organ && organ.compact) return fromCompact(organ, organ.compact, signal);
  if ('out' in organ && organ.factors) return multiplied(organ, organ.factors, signal);
  const [rows = 0, columns = 0] = weight.shape;
  if (weight.shape.length !== 2 || rows * columns !== parametersOf(organ)) return undefined;
  const transposed = 'out' in organ && organ.transposed;
  const shape = { rows, columns, transposed };
  if (organ.form === 'dense')
    return { ...shape, rowsOf: (first, last, by) => floatsOf(weight, first * columns, last * columns, by) };
  if (organ.form !== 'quantized' || !scale) return undefined;
  const axis = axisOf(elementCount(scale.shape), 'out' in organ ? organ.out : organ.rows, shape);
  if (axis === undefined) return undefined;
  const length = axis === 'rows' ? rows : columns;
  const scales = await spread(scale, length, signal);
  const zeroPoints = await spread(organ.zeroPoint, length, signal);
  if (!scales || !zeroPoints) return undefined;
  const rowsOf: Acting['rowsOf'] = (first, last, by) => multipliedOut(weight, axis, scales, zeroPoints, first, last, columns, by);
  const factor =
    'smoothing' in organ && organ.smoothing ? await spread(organ.smoothing, transposed ? rows : columns, signal) : undefined;
  return { ...shape, rowsOf: factor ? smoothedBack(rowsOf, factor, transposed, columns) : rowsOf };
}

/** A matrix whose inputs are scaled before it is as good as one that scales them itself. */
const smoothedBack =
  (rowsOf: Acting['rowsOf'], factor_I: Float32Array, transposed: boolean, columns: number): Acting['rowsOf'] =>
  async (first, last, signal) => {
    const values = await rowsOf(first, last, signal);
    for (let row = first, at = 0; row < last; row++)
      for (let c = 0; c < columns; c++, at++) values[at]! *= factor_I[transposed ? row : c]!;
    return values;
  };

/** A matrix in a compact form, [out, in]: made whole. */
async function fromCompact({ out, in: width }: Linear, { kind, parts }: Compact, signal?: AbortSignal): Promise<Acting> {
  const weights = [];
  for (const { weight } of parts)
    weights.push({ shape: weight.shape, values: await floatsOf(weight, 0, elementCount(weight.shape), signal) });
  const values_OI = compactValues(kind, weights, out, width);
  const rowsOf = async (first: number, last: number) => values_OI.subarray(first * width, last * width);
  return { rows: out, columns: width, transposed: false, rowsOf };
}

/** A factored matrix, [out, in]. Both factors are read whole. */
async function multiplied(
  { out, in: width }: Linear,
  { first, second }: Factors,
  signal?: AbortSignal,
): Promise<Acting | undefined> {
  const [left, right] = [await acting(second, signal), await acting(first, signal)];
  if (!left || !right) return undefined;
  const [left_OR, right_RI] = [await left.rowsOf(0, left.rows, signal), await right.rowsOf(0, right.rows, signal)];
  const rank = first.out;
  const [rows, columns] = [stridesOf(left), stridesOf(right)];
  const into = { values: right_RI, count: width, vectorStride: columns.element, elementStride: columns.vector };
  return {
    rows: out,
    columns: width,
    transposed: false,
    rowsOf: (from, to) =>
      products(
        {
          values: left_OR.subarray(from * rows.vector),
          count: to - from,
          vectorStride: rows.vector,
          elementStride: rows.element,
        },
        into,
        rank,
        new Float32Array((to - from) * width),
        async () => throwIfCancelled(signal),
      ),
  };
}

/** Strides of a matrix's rows as it acts, and of the numbers in them. */
const stridesOf = ({ transposed, columns }: Acting) =>
  transposed ? { vector: 1, element: columns } : { vector: columns, element: 1 };

const parametersOf = (organ: Linear | Table): number => ('out' in organ ? organ.out * organ.in : organ.rows * organ.width);

/** Which axis of the stored matrix the scales go along: one for each output channel, or row of a table; one in all goes along either. */
function axisOf(count: number, channels: number, { rows, columns, transposed }: Omit<Acting, 'rowsOf'>) {
  if (count === 1) return 'rows';
  if (count === channels) return transposed ? 'columns' : 'rows';
  if (count === columns) return 'columns';
  return count === rows ? 'rows' : undefined;
}

/** A scalar or a vector as `length` numbers; absent is 0. */
async function spread(tensor: Tensor | undefined, length: number, signal?: AbortSignal): Promise<Float32Array | undefined> {
  if (!tensor) return new Float32Array(length);
  const count = elementCount(tensor.shape);
  if (count !== 1 && count !== length) return undefined;
  const values = await floatsOf(tensor, 0, count, signal);
  return count === length ? values : new Float32Array(length).fill(values[0]!);
}

async function multipliedOut(
  weight: Tensor,
  axis: 'rows' | 'columns',
  scales: Float32Array,
  zeroPoints: Float32Array,
  first: number,
  last: number,
  columns: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const [start, end] = [first * columns, last * columns];
  if (weight.dtype !== 'int8' && weight.dtype !== 'uint8') {
    const values = Float32Array.from(await floatsOf(weight, start, end, signal));
    return values.map((value, i) => {
      const at = axis === 'columns' ? i % columns : first + Math.floor(i / columns);
      return (value - zeroPoints[at]!) * scales[at]!;
    });
  }
  const bytes = await weight.bytes(start, end, signal);
  const integers: Bytes8 = weight.dtype === 'uint8' ? bytes : new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const into = new Float32Array(bytes.length);
  if (axis === 'columns') kernels.dequantizeByColumn(integers, scales, zeroPoints, into);
  else kernels.dequantizeByRow(integers, scales.subarray(first, last), zeroPoints.subarray(first, last), into);
  return into;
}
