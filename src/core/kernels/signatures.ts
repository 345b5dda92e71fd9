// R rows, C columns. Matrices are row-major.

/** 8-bit integers, signed or not by the array that holds them. */
export type Bytes8 = Int8Array | Uint8Array;

/**
 * The number work. Every function is synchronous, allocates nothing a caller can see, and gives the same bits on every machine.
 * Accumulating functions start from what `into` holds, so that a matrix can be fed in runs of whole rows.
 */
export interface Kernels {
  /** into_C = max(into_C, |values_RC|). NaN stays NaN. */
  absMaxByColumn(values_RC: Float32Array, into_C: Float32Array): void;
  /** into_R = max(into_R, |values_RC|). NaN stays NaN. */
  absMaxByRow(values_RC: Float32Array, into_R: Float32Array): void;
  /** into = [min, max] of what it holds and the values. NaN stays NaN. */
  minMax(values: Float32Array, into: Float32Array): void;
  /** into_RC = clamp(rint(values_RC / scale_C) + zeroPoint) to the range of `into`; half to even, f32 throughout, NaN becomes 0. */
  quantizeByColumn(values_RC: Float32Array, scale_C: Float32Array, zeroPoint: number, into_RC: Bytes8): void;
  /** The same with one scale a row; one scale in all is a matrix of one row. */
  quantizeByRow(values_RC: Float32Array, scale_R: Float32Array, zeroPoint: number, into_RC: Bytes8): void;
  /** into_RC = (integers_RC - zeroPoint_C) * scale_C, in f32. */
  dequantizeByColumn(integers_RC: Bytes8, scale_C: Float32Array, zeroPoint_C: Float32Array, into_RC: Float32Array): void;
  /** into_RC = (integers_RC - zeroPoint_R) * scale_R, in f32. */
  dequantizeByRow(integers_RC: Bytes8, scale_R: Float32Array, zeroPoint_R: Float32Array, into_RC: Float32Array): void;
  /** values_RC *= factor_C, in f32. */
  scaleByColumn(values_RC: Float32Array, factor_C: Float32Array): void;
  /** values_RC *= factor_R, in f32. */
  scaleByRow(values_RC: Float32Array, factor_R: Float32Array): void;
  /** into_C += the sum of integers_RC - zeroPoint over the rows. */
  sumByColumn(integers_RC: Bytes8, zeroPoint: number, into_C: Int32Array): void;
  /** into_R += the sum of integers_RC - zeroPoint over the columns. */
  sumByRow(integers_RC: Bytes8, zeroPoint: number, into_R: Int32Array): void;
  /** f32 to fp16, to nearest even; finite values beyond 65504 become 65504, infinities and NaN stay. Was one beyond? */
  toHalf(values: Float32Array, into: Uint16Array): boolean;
  /** fp16 to f32, exact. */
  fromHalf(values: Uint16Array, into: Float32Array): void;
  /** bf16 to f32, exact. */
  fromBfloat(values: Uint16Array, into: Float32Array): void;
  /** 4-bit integers, two in a byte, low bits first, to as many f32 as `into` holds. */
  fromNibbles(bytes: Uint8Array, signed: boolean, into: Float32Array): void;
  /**
   * into += [sum d^2, sum before^2, sum after^2, sum before * after], into[4] = max(into[4], |d|) with d = after - before; f64 sums.
   * Added in blocks of ERROR_BLOCK elements, four interleaved sums in each, so that the order of additions is fixed.
   */
  errorSums(before: Float32Array, after: Float32Array, into: Float64Array): void;
}

/** Elements added before they join the running sums of errorSums; runs fed to it are a multiple of it, but for the last. */
export const ERROR_BLOCK = 65536;
