import { type Bytes8, ERROR_BLOCK, type Kernels } from './signatures.ts';

// The specification of the number work: read this to know what a kernel does. R rows, C columns.

const { fround, abs, max, min } = Math;

/** Nearest integer, half to even, as numpy's rint and IEEE 754. */
function rint(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** clamp(rint(value / scale) + zeroPoint) in f32. The quotient of two f32 rounded from f64 is the f32 quotient. */
function quantize(value: number, scale: number, zeroPoint: number, [low, high]: readonly [number, number]): number {
  const level = fround(rint(fround(value / scale)) + zeroPoint);
  return Number.isNaN(level) ? 0 : max(min(level, high), low);
}

export const rangeOf = (integers: Bytes8): readonly [number, number] => (integers instanceof Int8Array ? [-128, 127] : [0, 255]);

function absMaxByColumn(values_RC: Float32Array, into_C: Float32Array): void {
  const columns = into_C.length;
  for (let i = 0; i < values_RC.length; i++) into_C[i % columns] = max(into_C[i % columns]!, abs(values_RC[i]!));
}

function absMaxByRow(values_RC: Float32Array, into_R: Float32Array): void {
  const columns = values_RC.length / into_R.length;
  for (let r = 0; r < into_R.length; r++)
    for (let c = 0; c < columns; c++) into_R[r] = max(into_R[r]!, abs(values_RC[r * columns + c]!));
}

function minMax(values: Float32Array, into: Float32Array): void {
  for (const value of values) {
    into[0] = min(into[0]!, value);
    into[1] = max(into[1]!, value);
  }
}

function quantizeByColumn(values_RC: Float32Array, scale_C: Float32Array, zeroPoint: number, into_RC: Bytes8): void {
  const range = rangeOf(into_RC);
  const columns = scale_C.length;
  for (let i = 0; i < values_RC.length; i++) into_RC[i] = quantize(values_RC[i]!, scale_C[i % columns]!, zeroPoint, range);
}

function quantizeByRow(values_RC: Float32Array, scale_R: Float32Array, zeroPoint: number, into_RC: Bytes8): void {
  const range = rangeOf(into_RC);
  const columns = values_RC.length / scale_R.length;
  for (let i = 0; i < values_RC.length; i++)
    into_RC[i] = quantize(values_RC[i]!, scale_R[Math.floor(i / columns)]!, zeroPoint, range);
}

function dequantizeByColumn(integers_RC: Bytes8, scale_C: Float32Array, zeroPoint_C: Float32Array, into_RC: Float32Array): void {
  const columns = scale_C.length;
  for (let i = 0; i < integers_RC.length; i++)
    into_RC[i] = fround(integers_RC[i]! - zeroPoint_C[i % columns]!) * scale_C[i % columns]!;
}

function dequantizeByRow(integers_RC: Bytes8, scale_R: Float32Array, zeroPoint_R: Float32Array, into_RC: Float32Array): void {
  const columns = integers_RC.length / scale_R.length;
  for (let i = 0; i < integers_RC.length; i++) {
    const row = Math.floor(i / columns);
    into_RC[i] = fround(integers_RC[i]! - zeroPoint_R[row]!) * scale_R[row]!;
  }
}

function scaleByColumn(values_RC: Float32Array, factor_C: Float32Array): void {
  const columns = factor_C.length;
  for (let i = 0; i < values_RC.length; i++) values_RC[i]! *= factor_C[i % columns]!;
}

function scaleByRow(values_RC: Float32Array, factor_R: Float32Array): void {
  const columns = values_RC.length / factor_R.length;
  for (let i = 0; i < values_RC.length; i++) values_RC[i]! *= factor_R[Math.floor(i / columns)]!;
}

function sumByColumn(integers_RC: Bytes8, zeroPoint: number, into_C: Int32Array): void {
  const columns = into_C.length;
  for (let i = 0; i < integers_RC.length; i++) into_C[i % columns]! += integers_RC[i]! - zeroPoint;
}

function sumByRow(integers_RC: Bytes8, zeroPoint: number, into_R: Int32Array): void {
  const columns = integers_RC.length / into_R.length;
  for (let i = 0; i < integers_RC.length; i++) into_R[Math.floor(i / columns)]! += integers_RC[i]! - zeroPoint;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The bits of the fp16 nearest to the f32 with these bits. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude === 0x7f800000) return sign | 0x7c00;
  const finite = min(magnitude, 0x477fe000); // 65504
  if (finite >= 0x38800000) return sign | ((finite - 0x38000000 + 0xfff + ((finite >>> 13) & 1)) >>> 13);
  // Below 2^-14: adding 0.5 leaves the mantissa, rounded, in the low bits.
  scratchBits[0] = finite;
  scratch[0] = scratch[0]! + 0.5;
  return sign | (scratchBits[0]! - 0x3f000000);
}

/** The bits of the f32 that equals the fp16 with these bits. */
function floatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const shifted = (half & 0x7fff) << 13;
  const exponent = shifted & 0x0f800000;
  if (exponent === 0x0f800000) return sign | (shifted + 0x70000000);
  if (exponent !== 0) return sign | (shifted + 0x38000000);
  scratchBits[0] = shifted + 0x38800000;
  scratch[0] = scratch[0]! - 2 ** -14;
  return sign | scratchBits[0]!;
}

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

function toHalf(values: Float32Array, into: Uint16Array): boolean {
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) into[i] = halfBits(bits[i]!);
  return values.some(value => abs(value) > 65504 && abs(value) < Infinity);
}

function fromHalf(values: Uint16Array, into: Float32Array): void {
  const bits = bitsOf(into);
  for (let i = 0; i < values.length; i++) bits[i] = floatBits(values[i]!);
}

function fromBfloat(values: Uint16Array, into: Float32Array): void {
  const bits = bitsOf(into);
  for (let i = 0; i < values.length; i++) bits[i] = values[i]! << 16;
}

function fromNibbles(bytes: Uint8Array, signed: boolean, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) {
    const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    into[i] = signed && nibble > 7 ? nibble - 16 : nibble;
  }
}

function errorSums(before: Float32Array, after: Float32Array, into: Float64Array): void {
  for (let start = 0; start < before.length; start += ERROR_BLOCK) {
    const lanes = new Float64Array(16); // four sums of four lanes
    const end = min(start + ERROR_BLOCK, before.length);
    for (let i = start; i < end; i++) {
      const b = before[i]!;
      const a = after[i]!;
      const d = a - b;
      const lane = i % 4;
      lanes[lane]! += d * d;
      lanes[4 + lane]! += b * b;
      lanes[8 + lane]! += a * a;
      lanes[12 + lane]! += b * a;
      into[4] = max(into[4]!, abs(d));
    }
    for (let sum = 0; sum < 4; sum++) {
      const four = lanes.subarray(4 * sum, 4 * sum + 4);
      into[sum]! += four[0]! + four[1]! + (four[2]! + four[3]!);
    }
  }
}

export const plain: Kernels = {
  absMaxByColumn,
  absMaxByRow,
  minMax,
  quantizeByColumn,
  quantizeByRow,
  dequantizeByColumn,
  dequantizeByRow,
  scaleByColumn,
  scaleByRow,
  sumByColumn,
  sumByRow,
  toHalf,
  fromHalf,
  fromBfloat,
  fromNibbles,
  errorSums,
};
