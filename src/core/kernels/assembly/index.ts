// The number work, four lanes at a time. Every function has a twin in plain.ts of the same name: the twin is the specification,
// and test/contract/kernels.test.ts holds the two equal bit for bit. Pointers are byte offsets into the imported memory.
// R rows, C columns; matrices are row-major and need no alignment.

export { quantizeBlocks } from "./blocks";
export { gptqBehind, gptqColumns } from "./gptq";
export { reflectRows, rotateRows, solveStrips, solveStripsBack, subtractProducts } from "./linear-algebra";
export { addToHistogram, moments, quickMoments } from "./statistics";
export { addGram, rankTwoUpdate, symmetricProduct } from "./symmetric";
export { rankTwoUpdate32, symmetricProduct32 } from "./symmetric32";

/** into_C = max(into_C, |values_RC|) */
export function absMaxByColumn(values: usize, rows: i32, columns: i32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c <= columns - 4; c += 4) {
      const at = into + ((<usize>c) << 2);
      v128.store(at, f32x4.max(v128.load(at), f32x4.abs(v128.load(values + ((<usize>c) << 2)))));
    }
    for (; c < columns; c++) {
      const at = into + ((<usize>c) << 2);
      store<f32>(at, max<f32>(load<f32>(at), abs<f32>(load<f32>(values + ((<usize>c) << 2)))));
    }
    values += (<usize>columns) << 2;
  }
}

/** into_R = max(into_R, |values_RC|) */
export function absMaxByRow(values: usize, rows: i32, columns: i32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    let lanes = f32x4.splat(0);
    let c = 0;
    for (; c <= columns - 4; c += 4) lanes = f32x4.max(lanes, f32x4.abs(v128.load(values + ((<usize>c) << 2))));
    let most = max<f32>(
      max<f32>(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)),
      max<f32>(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)),
    );
    for (; c < columns; c++) most = max<f32>(most, abs<f32>(load<f32>(values + ((<usize>c) << 2))));
    store<f32>(into, max<f32>(load<f32>(into), most));
    into += 4;
    values += (<usize>columns) << 2;
  }
}

/** into = [min(into[0], values), max(into[1], values)] */
export function minMax(values: usize, count: i32, into: usize): void {
  let least = load<f32>(into);
  let most = load<f32>(into, 4);
  let low = f32x4.splat(least);
  let high = f32x4.splat(most);
  let i = 0;
  for (; i <= count - 4; i += 4) {
    const four = v128.load(values + ((<usize>i) << 2));
    low = f32x4.min(low, four);
    high = f32x4.max(high, four);
  }
  least = min<f32>(
    min<f32>(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)),
    min<f32>(f32x4.extract_lane(low, 2), f32x4.extract_lane(low, 3)),
  );
  most = max<f32>(
    max<f32>(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1)),
    max<f32>(f32x4.extract_lane(high, 2), f32x4.extract_lane(high, 3)),
  );
  for (; i < count; i++) {
    const one = load<f32>(values + ((<usize>i) << 2));
    least = min<f32>(least, one);
    most = max<f32>(most, one);
  }
  store<f32>(into, least);
  store<f32>(into, most, 4);
}

// clamp(rint(value / scale) + zeroPoint): i32 lanes. NaN becomes 0.
// @ts-ignore: decorator
@inline
function quantizeFour(value: v128, scale: v128, zeroPoint: v128, low: v128, high: v128): v128 {
  const level = f32x4.add(f32x4.nearest(f32x4.div(value, scale)), zeroPoint);
  return i32x4.trunc_sat_f32x4_s(f32x4.max(f32x4.min(level, high), low));
}

// @ts-ignore: decorator
@inline
function quantizeOne(value: f32, scale: f32, zeroPoint: f32, low: f32, high: f32): i32 {
  const level = nearest<f32>(value / scale) + zeroPoint;
  if (level != level) return 0;
  return <i32>max<f32>(min<f32>(level, high), low);
}

// The i32 lanes are in range, so narrowing through i16 keeps the low byte whether it is read as i8 or u8.
// @ts-ignore: decorator
@inline
function lowBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.shuffle(
    i8x16.shuffle(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0),
    i8x16.shuffle(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0),
    0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23,
  );
}

/** into_RC = clamp(rint(values_RC / scale_C) + zeroPoint, low, high) */
export function quantizeByColumn(values: usize, rows: i32, columns: i32, scale: usize, zeroPoint: f32, low: f32, high: f32, into: usize): void {
  const zero = f32x4.splat(zeroPoint);
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c <= columns - 16; c += 16) {
      const v = values + ((<usize>c) << 2);
      const s = scale + ((<usize>c) << 2);
      v128.store(
        into + c,
        lowBytes(
          quantizeFour(v128.load(v), v128.load(s), zero, least, most),
          quantizeFour(v128.load(v, 16), v128.load(s, 16), zero, least, most),
          quantizeFour(v128.load(v, 32), v128.load(s, 32), zero, least, most),
          quantizeFour(v128.load(v, 48), v128.load(s, 48), zero, least, most),
        ),
      );
    }
    for (; c < columns; c++) {
      const at = (<usize>c) << 2;
      store<u8>(into + c, quantizeOne(load<f32>(values + at), load<f32>(scale + at), zeroPoint, low, high));
    }
    values += (<usize>columns) << 2;
    into += columns;
  }
}

/** into_RC = clamp(rint(values_RC / scale_R) + zeroPoint, low, high) */
export function quantizeByRow(values: usize, rows: i32, columns: i32, scale: usize, zeroPoint: f32, low: f32, high: f32, into: usize): void {
  const zero = f32x4.splat(zeroPoint);
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  for (let r = 0; r < rows; r++) {
    const one = load<f32>(scale + ((<usize>r) << 2));
    const four = f32x4.splat(one);
    let c = 0;
    for (; c <= columns - 16; c += 16) {
      const v = values + ((<usize>c) << 2);
      v128.store(
        into + c,
        lowBytes(
          quantizeFour(v128.load(v), four, zero, least, most),
          quantizeFour(v128.load(v, 16), four, zero, least, most),
          quantizeFour(v128.load(v, 32), four, zero, least, most),
          quantizeFour(v128.load(v, 48), four, zero, least, most),
        ),
      );
    }
    for (; c < columns; c++) store<u8>(into + c, quantizeOne(load<f32>(values + ((<usize>c) << 2)), one, zeroPoint, low, high));
    values += (<usize>columns) << 2;
    into += columns;
  }
}

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

/** into_C += sum over rows of integers_RC - zeroPoint */
export function sumByColumn(integers: usize, signed: bool, rows: i32, columns: i32, zeroPoint: i32, into: usize): void {
  const zero = i32x4.splat(zeroPoint);
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c <= columns - 4; c += 4) {
      const at = into + ((<usize>c) << 2);
      v128.store(at, i32x4.add(v128.load(at), i32x4.sub(integersOf(integers + c, signed), zero)));
    }
    for (; c < columns; c++) {
      const at = into + ((<usize>c) << 2);
      store<i32>(at, load<i32>(at) + integerAt(integers + c, signed) - zeroPoint);
    }
    integers += columns;
  }
}

/** into_R += sum over columns of integers_RC - zeroPoint */
export function sumByRow(integers: usize, signed: bool, rows: i32, columns: i32, zeroPoint: i32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    let lanes = i32x4.splat(0);
    let c = 0;
    for (; c <= columns - 4; c += 4) lanes = i32x4.add(lanes, integersOf(integers + c, signed));
    let sum =
      i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) + i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
    for (; c < columns; c++) sum += integerAt(integers + c, signed);
    store<i32>(into, load<i32>(into) + sum - columns * zeroPoint);
    into += 4;
    integers += columns;
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

/** into (u16) = values as fp16. Count is a multiple of 4. */
export function toHalf(values: usize, count: i32, into: usize): void {
  for (let i = 0; i < count; i += 4) {
    const four = halfBitsFour(v128.load(values + ((<usize>i) << 2)));
    v128.store64_lane(into + ((<usize>i) << 1), i8x16.shuffle(four, four, 0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0), 0);
  }
}

/** into (f32) = fp16 values. Count is a multiple of 4. */
export function fromHalf(values: usize, count: i32, into: usize): void {
  for (let i = 0; i < count; i += 4) {
    const half = i32x4.extend_low_i16x8_u(v128.load64_zero(values + ((<usize>i) << 1)));
    const shifted = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
    const exponent = v128.and(shifted, i32x4.splat(0x0f800000));
    const normal = i32x4.add(shifted, i32x4.splat(0x38000000));
    const special = i32x4.add(shifted, i32x4.splat(0x70000000));
    const subnormal = f32x4.sub(i32x4.add(shifted, i32x4.splat(0x38800000)), f32x4.splat(6.103515625e-5));
    let bits = v128.bitselect(special, normal, i32x4.eq(exponent, i32x4.splat(0x0f800000)));
    bits = v128.bitselect(subnormal, bits, i32x4.eq(exponent, i32x4.splat(0)));
    v128.store(into + ((<usize>i) << 2), v128.or(bits, i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16)));
  }
}

/** into (f32) = bf16 values. Count is a multiple of 4. */
export function fromBfloat(values: usize, count: i32, into: usize): void {
  for (let i = 0; i < count; i += 4)
    v128.store(into + ((<usize>i) << 2), i32x4.shl(i32x4.extend_low_i16x8_u(v128.load64_zero(values + ((<usize>i) << 1))), 16));
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
