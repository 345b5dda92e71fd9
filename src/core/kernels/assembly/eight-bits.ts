// Ranges, rounding to 8 bits and sums: the twins of the functions of the same names in ../plain.ts, equal bit for bit.
// R rows, C columns; matrices are row-major and need no alignment.

/** Of the magnitude: all but the sign. The bits of magnitudes are ordered as the numbers are, NaN above infinity. */
const MAGNITUDE = 0x7fffffff;

// @ts-ignore: decorator
@inline
function magnitudes(at: usize): v128 {
  return v128.and(v128.load(at), i32x4.splat(MAGNITUDE));
}

// @ts-ignore: decorator
@inline
function magnitude(at: usize): i32 {
  return load<i32>(at) & MAGNITUDE;
}

/** into_C = max(into_C, |values_RC|), four rows at a time. */
export function absMaxByColumn(values: usize, rows: i32, columns: i32, into: usize): void {
  const stride = (<usize>columns) << 2;
  for (let r = 0; r < rows; ) {
    const count = min<i32>(4, rows - r);
    const first = values + (<usize>r) * stride;
    const second = first + stride;
    const third = second + stride;
    const fourth = third + stride;
    let c: usize = 0;
    if (count == 4)
      for (; c + 16 <= stride; c += 16) {
        const upper = i32x4.max_s(magnitudes(first + c), magnitudes(second + c));
        const lower = i32x4.max_s(magnitudes(third + c), magnitudes(fourth + c));
        v128.store(into + c, i32x4.max_s(v128.load(into + c), i32x4.max_s(upper, lower)));
      }
    else
      for (; c + 16 <= stride; c += 16) {
        let most = v128.load(into + c);
        for (let i = 0; i < count; i++) most = i32x4.max_s(most, magnitudes(first + (<usize>i) * stride + c));
        v128.store(into + c, most);
      }
    for (; c < stride; c += 4) {
      let most = load<i32>(into + c);
      for (let i = 0; i < count; i++) most = max<i32>(most, magnitude(first + (<usize>i) * stride + c));
      store<i32>(into + c, most);
    }
    r += count;
  }
}

/** into_R = max(into_R, |values_RC|) */
export function absMaxByRow(values: usize, rows: i32, columns: i32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    const end = values + ((<usize>columns) << 2);
    let a = i32x4.splat(0);
    let b = a;
    for (; values + 32 <= end; values += 32) {
      a = i32x4.max_s(a, magnitudes(values));
      b = i32x4.max_s(b, magnitudes(values + 16));
    }
    a = i32x4.max_s(a, b);
    let most = max<i32>(
      max<i32>(i32x4.extract_lane(a, 0), i32x4.extract_lane(a, 1)),
      max<i32>(i32x4.extract_lane(a, 2), i32x4.extract_lane(a, 3)),
    );
    for (; values < end; values += 4) most = max<i32>(most, magnitude(values));
    store<i32>(into, max<i32>(load<i32>(into), most));
    into += 4;
  }
}

// Numbers as integers of the same order, -0 below 0, and back: the bits but the sign are turned where it is set.
// @ts-ignore: decorator
@inline
function ordered(bits: v128): v128 {
  return v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), i32x4.splat(MAGNITUDE)));
}

// @ts-ignore: decorator
@inline
function orderedOne(bits: i32): i32 {
  return bits ^ ((bits >> 31) & MAGNITUDE);
}

/** into = [min(into[0], values), max(into[1], values)] */
export function minMax(values: usize, count: i32, into: usize): void {
  let least = orderedOne(load<i32>(into));
  let most = orderedOne(load<i32>(into, 4));
  let low = i32x4.splat(least);
  let high = i32x4.splat(most);
  const end = values + ((<usize>count) << 2);
  for (; values + 16 <= end; values += 16) {
    const four = ordered(v128.load(values));
    low = i32x4.min_s(low, four);
    high = i32x4.max_s(high, four);
  }
  least = min<i32>(
    min<i32>(i32x4.extract_lane(low, 0), i32x4.extract_lane(low, 1)),
    min<i32>(i32x4.extract_lane(low, 2), i32x4.extract_lane(low, 3)),
  );
  most = max<i32>(
    max<i32>(i32x4.extract_lane(high, 0), i32x4.extract_lane(high, 1)),
    max<i32>(i32x4.extract_lane(high, 2), i32x4.extract_lane(high, 3)),
  );
  for (; values < end; values += 4) {
    const one = orderedOne(load<i32>(values));
    least = min<i32>(least, one);
    most = max<i32>(most, one);
  }
  // NaN is beyond infinity on the side of its sign.
  const isNumber = least >= orderedOne(0xff800000) && most <= 0x7f800000;
  store<i32>(into, isNumber ? orderedOne(least) : 0x7fc00000);
  store<i32>(into, isNumber ? orderedOne(most) : 0x7fc00000, 4);
}

// 2^23 + 2^22: a number of up to 22 bits that is added to it is rounded to a whole one, half to even, and stands in its low bits.
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

// rint(clamp(value / scale, from, to)) + the zero point in `shift`, i32 lanes. NaN becomes 0. Clamped to whole numbers before it is
// rounded is the same as after.
// @ts-ignore: decorator
@inline
function quantizeFour(at: usize, scale: v128, from: v128, to: v128, shift: v128): v128 {
  const quotient = f32x4.div(v128.load(at), scale);
  const clamped = f32x4.pmin(f32x4.pmax(quotient, from), to);
  const level = i32x4.sub(f32x4.add(clamped, f32x4.splat(ROUNDER)), shift);
  return v128.and(level, f32x4.eq(quotient, quotient));
}

// @ts-ignore: decorator
@inline
function quantizeOne(value: f32, scale: f32, zeroPoint: f32, low: f32, high: f32): i32 {
  const level = nearest<f32>(value / scale) + zeroPoint;
  if (level != level) return 0;
  return <i32>max<f32>(min<f32>(level, high), low);
}

/** into_RC = clamp(rint(values_RC / scale_C) + zeroPoint, low, high); the range of i8 or that of u8. */
export function quantizeByColumn(values: usize, rows: i32, columns: i32, scale: usize, zeroPoint: f32, low: f32, high: f32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    quantizeRow(values, columns, scale, true, zeroPoint, low, high, into);
    values += (<usize>columns) << 2;
    into += columns;
  }
}

/** into_RC = clamp(rint(values_RC / scale_R) + zeroPoint, low, high); the range of i8 or that of u8. */
export function quantizeByRow(values: usize, rows: i32, columns: i32, scale: usize, zeroPoint: f32, low: f32, high: f32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    quantizeRow(values, columns, scale, false, zeroPoint, low, high, into);
    scale += 4;
    values += (<usize>columns) << 2;
    into += columns;
  }
}

// One row, with a scale for each element or one for all.
// @ts-ignore: decorator
@inline
function quantizeRow(values: usize, columns: i32, scale: usize, each: bool, zeroPoint: f32, low: f32, high: f32, into: usize): void {
  const signed = low < 0;
  const shift = i32x4.splat(ROUNDER_BITS - <i32>zeroPoint);
  const from = f32x4.splat(low - zeroPoint);
  const to = f32x4.splat(high - zeroPoint);
  const all = v128.load32_splat(scale);
  let c = 0;
  for (; c <= columns - 16; c += 16) {
    const v = values + ((<usize>c) << 2);
    const s = scale + ((<usize>c) << 2);
    const front = i16x8.narrow_i32x4_s(
      quantizeFour(v, each ? v128.load(s) : all, from, to, shift),
      quantizeFour(v + 16, each ? v128.load(s, 16) : all, from, to, shift),
    );
    const back = i16x8.narrow_i32x4_s(
      quantizeFour(v + 32, each ? v128.load(s, 32) : all, from, to, shift),
      quantizeFour(v + 48, each ? v128.load(s, 48) : all, from, to, shift),
    );
    v128.store(into + c, signed ? i8x16.narrow_i16x8_s(front, back) : i8x16.narrow_i16x8_u(front, back));
  }
  for (; c < columns; c++) {
    const at = (<usize>c) << 2;
    store<u8>(into + c, quantizeOne(load<f32>(values + at), load<f32>(each ? scale + at : scale), zeroPoint, low, high));
  }
}

/** values_RC *= factor_R */
export function scaleByRow(values: usize, rows: i32, columns: i32, factor: usize): void {
  for (let r = 0; r < rows; r++, factor += 4) {
    const four = v128.load32_splat(factor);
    const one = load<f32>(factor);
    const end = values + ((<usize>columns) << 2);
    for (; values + 16 <= end; values += 16) v128.store(values, f32x4.mul(v128.load(values), four));
    for (; values < end; values += 4) store<f32>(values, load<f32>(values) * one);
  }
}

/** values_RC *= factor_C */
export function scaleByColumn(values: usize, rows: i32, columns: i32, factor: usize): void {
  const width = (<usize>columns) << 2;
  for (let r = 0; r < rows; r++, values += width) {
    let c: usize = 0;
    for (; c + 16 <= width; c += 16) v128.store(values + c, f32x4.mul(v128.load(values + c), v128.load(factor + c)));
    for (; c < width; c += 4) store<f32>(values + c, load<f32>(values + c) * load<f32>(factor + c));
  }
}

/** Rows that are added in 16 bits before they join the sums. */
const ROWS_AT_ONCE = 8;

/** into_C += sum over rows of integers_RC - zeroPoint */
export function sumByColumn(integers: usize, signed: bool, rows: i32, columns: i32, zeroPoint: i32, into: usize): void {
  for (let r = 0; r < rows; ) {
    const count = min<i32>(ROWS_AT_ONCE, rows - r);
    const behind = integers + (<usize>count) * columns;
    const shift = count * zeroPoint;
    let c = 0;
    for (; c <= columns - 16; c += 16) {
      const at = integers + c;
      let front: v128;
      let back: v128;
      if (count == ROWS_AT_ONCE) {
        front = signed ? sumOfEight<i8>(at, columns) : sumOfEight<u8>(at, columns);
        back = signed ? sumOfEight<i8>(at + 8, columns) : sumOfEight<u8>(at + 8, columns);
      } else {
        front = i16x8.splat(0);
        back = front;
        for (let row = at; row < behind; row += columns) {
          front = i16x8.add(front, signed ? v128.load_ext<i8>(row) : v128.load_ext<u8>(row));
          back = i16x8.add(back, signed ? v128.load_ext<i8>(row, 8) : v128.load_ext<u8>(row, 8));
        }
      }
      const to = into + ((<usize>c) << 2);
      addEight(to, front, signed, shift);
      addEight(to + 32, back, signed, shift);
    }
    for (; c < columns; c++) {
      let sum = -shift;
      for (let at = integers + c; at < behind; at += columns) sum += signed ? <i32>load<i8>(at) : <i32>load<u8>(at);
      const to = into + ((<usize>c) << 2);
      store<i32>(to, load<i32>(to) + sum);
    }
    integers = behind;
    r += count;
  }
}

// Eight rows of eight integers each, by column.
// @ts-ignore: decorator
@inline
function sumOfEight<T>(at: usize, columns: usize): v128 {
  const two = at + 2 * columns;
  const four = at + 4 * columns;
  const six = four + 2 * columns;
  const a = i16x8.add(v128.load_ext<T>(at), v128.load_ext<T>(at + columns));
  const b = i16x8.add(v128.load_ext<T>(two), v128.load_ext<T>(two + columns));
  const c = i16x8.add(v128.load_ext<T>(four), v128.load_ext<T>(four + columns));
  const d = i16x8.add(v128.load_ext<T>(six), v128.load_ext<T>(six + columns));
  return i16x8.add(i16x8.add(a, b), i16x8.add(c, d));
}

// @ts-ignore: decorator
@inline
function addEight(to: usize, sums: v128, signed: bool, shift: i32): void {
  const low = signed ? i32x4.extend_low_i16x8_s(sums) : i32x4.extend_low_i16x8_u(sums);
  const high = signed ? i32x4.extend_high_i16x8_s(sums) : i32x4.extend_high_i16x8_u(sums);
  const zero = i32x4.splat(shift);
  v128.store(to, i32x4.sub(i32x4.add(v128.load(to), low), zero));
  v128.store(to, i32x4.sub(i32x4.add(v128.load(to, 16), high), zero), 16);
}

/** into_R += sum over columns of integers_RC - zeroPoint */
export function sumByRow(integers: usize, signed: bool, rows: i32, columns: i32, zeroPoint: i32, into: usize): void {
  for (let r = 0; r < rows; r++) {
    const end = integers + columns;
    let lanes = i32x4.splat(0);
    if (signed)
      for (; integers + 16 <= end; integers += 16)
        lanes = i32x4.add(lanes, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(integers))));
    else
      for (; integers + 16 <= end; integers += 16)
        lanes = i32x4.add(lanes, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_u(v128.load(integers))));
    let sum =
      i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) + i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
    for (; integers < end; integers++) sum += signed ? <i32>load<i8>(integers) : <i32>load<u8>(integers);
    store<i32>(into, load<i32>(into) + sum - columns * zeroPoint);
    into += 4;
  }
}
