import type { Linear, Table } from '../anatomy/anatomy.ts';
import { floatsOf } from '../kernels/floats.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Acting } from './acting.ts';

// Weights in blocks that share a scale, as onnxruntime's operators keep them, packed low bits first, or as DequantizeLinear (opset
// 21) takes them, in the shape of the matrix: weight = (level - zero point) * scale.

/** A matrix in blocks as it acts; undefined for every other form. */
export async function actingBlocks(organ: Linear | Table, signal?: AbortSignal): Promise<Acting | undefined> {
  const { scale, packed, form } = organ;
  if (form !== 'quantized' || scale?.shape.length !== 2) return undefined;
  return packed?.method === 'onnxruntime' ? actingPacked(organ, scale, signal) : actingShaped(organ, scale, signal);
}

const sidesOf = (organ: Linear | Table): readonly [number, number] =>
  'out' in organ ? [organ.out, organ.in] : [organ.rows, organ.width];

/** [channels, blocks, bytes] with zero points packed alike. */
async function actingPacked(organ: Linear | Table, scale: Tensor, signal?: AbortSignal): Promise<Acting | undefined> {
  const { weight, zeroPoint, packed } = organ;
  const [rows, columns] = sidesOf(organ);
  const { bits, blockSize } = packed!;
  const blocks = Math.ceil(columns / blockSize!);
  if (8 % bits !== 0 || elementCount(scale.shape) !== rows * blocks || weight.byteLength % rows !== 0) return undefined;
  const rowBytes = weight.byteLength / rows;
  if (rowBytes * 8 < columns * bits) return undefined;
  const scales = await floatsOf(scale, 0, rows * blocks, signal);
  const zeros = new Float32Array(rows * blocks).fill(2 ** (bits - 1));
  if (zeroPoint) {
    const zeroBytes = zeroPoint.byteLength / rows;
    if (zeroBytes * 8 < blocks * bits) return undefined;
    const bytes = await zeroPoint.bytes(0, zeroPoint.byteLength, signal);
    for (let r = 0; r < rows; r++) levelsInto(bytes, r * zeroBytes, bits, zeros.subarray(r * blocks, (r + 1) * blocks));
  }
  return {
    rows,
    columns,
    transposed: false,
    async rowsOf(first, last, by) {
      const bytes = await weight.bytes(first * rowBytes, last * rowBytes, by);
      const into = new Float32Array((last - first) * columns);
      for (let r = first; r < last; r++) {
        const row = into.subarray((r - first) * columns, (r - first + 1) * columns);
        levelsInto(bytes, (r - first) * rowBytes, bits, row);
        for (let b = 0; b < blocks; b++) {
          const [s, z] = [scales[r * blocks + b]!, zeros[r * blocks + b]!];
          const end = Math.min(columns, (b + 1) * blockSize!);
          for (let c = b * blockSize!; c < end; c++) row[c] = (row[c]! - z) * s;
        }
      }
      return into;
    },
  };
}

function levelsInto(bytes: Uint8Array, start: number, bits: number, into: Float32Array): void {
  const mask = 2 ** bits - 1;
  for (let i = 0, at = 0; i < into.length; i++, at += bits) into[i] = (bytes[start + (at >> 3)]! >> (at & 7)) & mask;
}

/** Integers in the shape of the matrix, blocks along one of its axes. */
async function actingShaped(organ: Linear | Table, scale: Tensor, signal?: AbortSignal): Promise<Acting | undefined> {
  const { weight, zeroPoint } = organ;
  const [rows = 0, columns = 0] = weight.shape;
  const [scaleRows = 0, scaleColumns = 0] = scale.shape;
  const isInteger = dtypes[weight.dtype].kind === 'int' || dtypes[weight.dtype].kind === 'uint';
  if (weight.shape.length !== 2 || !isInteger || (scaleRows !== rows && scaleColumns !== columns)) return undefined;
  // One block along each axis is a scale for each row or column, or for all.
  if (scaleRows <= 1 || scaleColumns <= 1) return undefined;
  const [high, wide] = [blockOf(rows, scaleRows), blockOf(columns, scaleColumns)];
  const scales = await floatsOf(scale, 0, scaleRows * scaleColumns, signal);
  const zeros = zeroPoint && (await floatsOf(zeroPoint, 0, scaleRows * scaleColumns, signal));
  return {
    rows,
    columns,
    transposed: 'out' in organ && organ.transposed,
    async rowsOf(first, last, by) {
      const into = Float32Array.from(await floatsOf(weight, first * columns, last * columns, by));
      for (let r = first; r < last; r++) {
        const at = Math.floor(r / high) * scaleColumns;
        for (let c = 0; c < columns; c++) {
          const place = at + Math.floor(c / wide);
          const i = (r - first) * columns + c;
          into[i] = (into[i]! - (zeros?.[place] ?? 0)) * scales[place]!;
        }
      }
      return into;
    },
  };
}

/** Elements that share a scale: blocks are as long as they can be, powers of two where there are several. */
function blockOf(length: number, scales: number): number {
  const least = length / scales;
  const power = 2 ** Math.ceil(Math.log2(least));
  return Math.ceil(length / power) === scales ? power : Math.ceil(least);
}
