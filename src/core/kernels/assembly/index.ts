// The number work, four lanes at a time. Every function has a twin in plain.ts of the same name: the twin is the specification,
// and test/contract/kernels.test.ts holds the two equal bit for bit. Pointers are byte offsets into the imported memory.
// R rows, C columns; matrices are row-major and need no alignment.

export { quantizeBlocks } from "./blocks";
export {
  absMaxByColumn, absMaxByRow, minMax, quantizeByColumn, quantizeByRow, scaleByColumn, scaleByRow, sumByColumn, sumByRow,
} from "./eight-bits";
export { gptqBehind, gptqColumns } from "./gptq";
export { reflectRows, rotateRows, solveStrips, solveStripsBack, subtractProducts } from "./linear-algebra";
export { addToHistogram, moments, quickMoments } from "./statistics";
export { addGram, rankTwoUpdate, symmetricProduct } from "./symmetric";
export { rankTwoUpdate32, symmetricProduct32 } from "./symmetric32";

// @ts-ignore: decorator
@inline
function integersOf(at: usize, signed: bool): v128 {
  return signed
    ? i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(at)))
    : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

// @ts-ignore: decorator
@inline
function integerAt(at: usize, signed: bool): i32 {
  return signed ? <i32>load<i8>(at) : <i32>load<u8>(at);
}

/** into_RC = (integers_RC - zeroPoint_C) * scale_C */
export function dequantizeByColumn(integers: usize, signed: bool, rows: i32, columns: i32, scale: usize, zeroPoint: usize, into: usize): void {
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c <= columns - 4; c += 4) {
      const at = (<usize>c) << 2;
      const levels = f32x4.convert_i32x4_s(integersOf(integers + c, signed));
      v128.store(into + at, f32x4.mul(f32x4.sub(levels, v128.load(zeroPoint + at)), v128.load(scale + at)));
    }
    for (; c < columns; c++) {
      const at = (<usize>c) << 2;
      store<f32>(into + at, (<f32>integerAt(integers + c, signed) - load<f32>(zeroPoint + at)) * load<f32>(scale + at));
    }
    integers += columns;
    into += (<usize>columns) << 2;
  }
}

/** into_RC = (integers_RC - zeroPoint_R) * scale_R */
export function dequantizeByRow(integers: usize, signed: bool, rows: i32, columns: i32, scale: usize, zeroPoint: usize, into: usize): void {
  for (let r = 0; r < rows; r++) {
    const s = load<f32>(scale + ((<usize>r) << 2));
    const z = load<f32>(zeroPoint + ((<usize>r) << 2));
    const fourS = f32x4.splat(s);
    const fourZ = f32x4.splat(z);
    let c = 0;
    for (; c <= columns - 4; c += 4) {
      const levels = f32x4.convert_i32x4_s(integersOf(integers + c, signed));
      v128.store(into + ((<usize>c) << 2), f32x4.mul(f32x4.sub(levels, fourZ), fourS));
    }
    for (; c < columns; c++) store<f32>(into + ((<usize>c) << 2), (<f32>integerAt(integers + c, signed) - z) * s);
    integers += columns;
    into += (<usize>columns) << 2;
  }
}

// Round to nearest even; finite values beyond 65504 become 65504. Works on the bits: normal numbers are rounded by adding half a
// unit in the last place, subnormal ones by adding 0.5, which leaves the rounded mantissa in the low bits.
// @ts-ignore: decorator
@inline
function halfBitsFour(bits: v128): v128 {
  const sign = v128.and(bits, i32x4.splat(0x80000000));
  let magnitude = v128.xor(bits, sign);
  const infinite = i32x4.ge_s(magnitude, i32x4.splat(0x7f800000));
  const notNumber = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000));
  magnitude = i32x4.min_s(magnitude, i32x4.splat(0x477fe000));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xc8000fff)), odd), 13);
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  const special = v128.bitselect(i32x4.splat(0x7e00), i32x4.splat(0x7c00), notNumber);
  return v128.or(v128.bitselect(special, finite, infinite), i32x4.shr_u(sign, 16));
}

// Two times four numbers that are normal in both types. What is kept, what is cut off and the sign are put together as eight lanes of 16 bits.
// @ts-ignore: decorator
@inline
function normalHalves(a: v128, b: v128, kept: v128): v128 {
  const cut = i32x4.splat(0x1fff);
  const lost = i16x8.narrow_i32x4_s(v128.and(a, cut), v128.and(b, cut));
  const isUp = i16x8.gt_s(i16x8.add(lost, v128.and(kept, i16x8.splat(1))), i16x8.splat(0x1000));
  const upper = i16x8.narrow_i32x4_s(i32x4.shr_s(a, 16), i32x4.shr_s(b, 16));
  return v128.or(i16x8.sub(kept, isUp), v128.and(upper, i16x8.splat(<i16>0x8000)));
}

// All bits of lanes that hold a finite magnitude beyond 65504.
// @ts-ignore: decorator
@inline
function beyondHalf(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fffffff));
  return v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x477fe000)), i32x4.lt_s(magnitude, i32x4.splat(0x7f800000)));
}

/** into (u16) = values as fp16; whether a finite one was beyond 65504. Most weights are normal numbers, which takes half as long. */
export function toHalf(values: usize, count: i32, into: usize): bool {
  const end = values + ((<usize>count) << 2);
  const magnitude = i32x4.splat(0x7fffffff);
  const bias = i32x4.splat(0x38000000);
  let beyond = i32x4.splat(0);
  for (; values + 32 <= end; values += 32, into += 16) {
    const a = v128.load(values);
    const b = v128.load(values, 16);
    // Exponent and mantissa, cut off: 65535 for what is below the range of exponents.
    const kept = i16x8.narrow_i32x4_u(
      i32x4.shr_u(i32x4.sub(v128.and(a, magnitude), bias), 13),
      i32x4.shr_u(i32x4.sub(v128.and(b, magnitude), bias), 13),
    );
    const above = i16x8.sub(kept, i16x8.splat(0x400));
    // From the smallest normal number up to what is below 65504.
    if (i16x8.all_true(i16x8.eq(i16x8.min_u(above, i16x8.splat(0x77fe)), above))) v128.store(into, normalHalves(a, b, kept));
    else {
      v128.store(into, i16x8.narrow_i32x4_u(halfBitsFour(a), halfBitsFour(b)));
      beyond = v128.or(beyond, v128.or(beyondHalf(a), beyondHalf(b)));
    }
  }
  for (; values < end; values += 4, into += 2) {
    const one = v128.load32_zero(values);
    v128.store16_lane(into, halfBitsFour(one), 0);
    beyond = v128.or(beyond, beyondHalf(one));
  }
  return v128.any_true(beyond);
}

// f32 bits of the fp16 in the low half of each lane.
// @ts-ignore: decorator
@inline
function floatBitsFour(half: v128): v128 {
  const shifted = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
  const exponent = v128.and(shifted, i32x4.splat(0x0f800000));
  const normal = i32x4.add(shifted, i32x4.splat(0x38000000));
  const special = i32x4.add(shifted, i32x4.splat(0x70000000));
  const subnormal = f32x4.sub(i32x4.add(shifted, i32x4.splat(0x38800000)), f32x4.splat(6.103515625e-5));
  let bits = v128.bitselect(special, normal, i32x4.eq(exponent, i32x4.splat(0x0f800000)));
  bits = v128.bitselect(subnormal, bits, i32x4.eq(exponent, i32x4.splat(0)));
  return v128.or(bits, i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16));
}

/** into (f32) = fp16 values; they may lie in the last half of it. */
export function fromHalf(values: usize, count: i32, into: usize): void {
  const end = values + ((<usize>count) << 1);
  for (; values + 8 <= end; values += 8, into += 16)
    v128.store(into, floatBitsFour(i32x4.extend_low_i16x8_u(v128.load64_zero(values))));
  for (; values < end; values += 2, into += 4)
    v128.store32_lane(into, floatBitsFour(i32x4.splat(load<u16>(values))), 0);
}

/** into (f32) = bf16 values; they may lie in the last half of it. */
export function fromBfloat(values: usize, count: i32, into: usize): void {
  const end = values + ((<usize>count) << 1);
  for (; values + 8 <= end; values += 8, into += 16)
    v128.store(into, i32x4.shl(i32x4.extend_low_i16x8_u(v128.load64_zero(values)), 16));
  for (; values < end; values += 2, into += 4) store<u32>(into, (<u32>load<u16>(values)) << 16);
}

// @ts-ignore: decorator
@inline
function fold(low: v128, high: v128): f64 {
  return f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1) + (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1));
}

/** into (f64) = [sum d^2, sum before^2, sum after^2, sum before after, max |d|], d = after - before. Count is a multiple of 4. */
export function errorSums(before: usize, after: usize, count: i32, into: usize): void {
  const none = f64x2.splat(0);
  let d0 = none, d1 = none, b0 = none, b1 = none, a0 = none, a1 = none, p0 = none, p1 = none, most = none;
  for (let i = 0; i < count; i += 4) {
    const b = v128.load(before + ((<usize>i) << 2));
    const a = v128.load(after + ((<usize>i) << 2));
    const bLow = f64x2.promote_low_f32x4(b);
    const aLow = f64x2.promote_low_f32x4(a);
    const bHigh = f64x2.promote_low_f32x4(i8x16.shuffle(b, b, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0));
    const aHigh = f64x2.promote_low_f32x4(i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0));
    const dLow = f64x2.sub(aLow, bLow);
    const dHigh = f64x2.sub(aHigh, bHigh);
    d0 = f64x2.add(d0, f64x2.mul(dLow, dLow));
    d1 = f64x2.add(d1, f64x2.mul(dHigh, dHigh));
    b0 = f64x2.add(b0, f64x2.mul(bLow, bLow));
    b1 = f64x2.add(b1, f64x2.mul(bHigh, bHigh));
    a0 = f64x2.add(a0, f64x2.mul(aLow, aLow));
    a1 = f64x2.add(a1, f64x2.mul(aHigh, aHigh));
    p0 = f64x2.add(p0, f64x2.mul(bLow, aLow));
    p1 = f64x2.add(p1, f64x2.mul(bHigh, aHigh));
    most = f64x2.max(most, f64x2.max(f64x2.abs(dLow), f64x2.abs(dHigh)));
  }
  store<f64>(into, fold(d0, d1));
  store<f64>(into, fold(b0, b1), 8);
  store<f64>(into, fold(a0, a1), 16);
  store<f64>(into, fold(p0, p1), 24);
  store<f64>(into, max<f64>(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1)), 32);
}

/** into (f32) = the 4-bit integers of the bytes, low bits first. Count is a multiple of 16. */
export function fromNibbles(bytes: usize, signed: bool, count: i32, into: usize): void {
  const top = i8x16.splat(signed ? 8 : 0);
  for (let i = 0; i < count; i += 16) {
    const eight = v128.load64_zero(bytes);
    const low = v128.and(eight, i8x16.splat(15));
    const mixed = i8x16.shuffle(low, i8x16.shr_u(eight, 4), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const integers = i8x16.sub(v128.xor(mixed, top), top);
    const front = i16x8.extend_low_i8x16_s(integers);
    const back = i16x8.extend_high_i8x16_s(integers);
    v128.store(into, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(front)));
    v128.store(into, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(front)), 16);
    v128.store(into, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(back)), 32);
    v128.store(into, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(back)), 48);
    bytes += 8;
    into += 64;
  }
}
