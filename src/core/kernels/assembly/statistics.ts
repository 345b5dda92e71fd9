// What the statistics of a tensor need, in two passes: the twin of ../statistics-plain.ts, equal bit for bit.
// Pointers are byte offsets into the imported memory; counts are multiples of 8, filled up with NaN.

const INFINITE: f32 = Infinity;

/**
 * into (f64) = [finite values, zeros, least, most, sum of x - centre, sum of (x - centre)^2], eight interleaved sums each.
 * A value that is not finite counts as the centre, which is one of the values or between them.
 */
export function moments(values: usize, count: i32, centre: f32, into: usize): void {
  const infinite = f32x4.splat(INFINITE);
  const middle = f32x4.splat(centre);
  const wide = f64x2.splat(<f64>centre);
  const none = f32x4.splat(0);
  let low = infinite;
  let high = f32x4.neg(infinite);
  let finite = i32x4.splat(0);
  let zeros = i32x4.splat(0);
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  let q0 = f64x2.splat(0);
  let q1 = f64x2.splat(0);
  let q2 = f64x2.splat(0);
  let q3 = f64x2.splat(0);
  const end = values + ((<usize>count) << 2);
  for (let at = values; at < end; at += 32) {
    let a = v128.load(at);
    let b = v128.load(at, 16);
    zeros = i32x4.sub(zeros, i32x4.add(f32x4.eq(a, none), f32x4.eq(b, none)));
    const aFinite = f32x4.lt(f32x4.abs(a), infinite);
    const bFinite = f32x4.lt(f32x4.abs(b), infinite);
    finite = i32x4.sub(finite, i32x4.add(aFinite, bFinite));
    a = v128.bitselect(a, middle, aFinite);
    b = v128.bitselect(b, middle, bFinite);
    low = f32x4.pmin(f32x4.pmin(low, a), b);
    high = f32x4.pmax(f32x4.pmax(high, a), b);
    const d0 = f64x2.sub(f64x2.promote_low_f32x4(a), wide);
    const d1 = f64x2.sub(f64x2.promote_low_f32x4(upper(a)), wide);
    const d2 = f64x2.sub(f64x2.promote_low_f32x4(b), wide);
    const d3 = f64x2.sub(f64x2.promote_low_f32x4(upper(b)), wide);
    s0 = f64x2.add(s0, d0);
    s1 = f64x2.add(s1, d1);
    s2 = f64x2.add(s2, d2);
    s3 = f64x2.add(s3, d3);
    q0 = f64x2.add(q0, f64x2.mul(d0, d0));
    q1 = f64x2.add(q1, f64x2.mul(d1, d1));
    q2 = f64x2.add(q2, f64x2.mul(d2, d2));
    q3 = f64x2.add(q3, f64x2.mul(d3, d3));
  }
  store<f64>(into, <f64>laneSum(finite));
  store<f64>(into, <f64>laneSum(zeros), 8);
  store<f64>(into, <f64>laneLeast(low), 16);
  store<f64>(into, <f64>laneMost(high), 24);
  store<f64>(into, eightSum(s0, s1, s2, s3), 32);
  store<f64>(into, eightSum(q0, q1, q2, q3), 40);
}

// @ts-ignore: decorator
@inline
function upper(four: v128): v128 {
  return i8x16.shuffle(four, four, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
}

function laneSum(four: v128): i32 {
  return i32x4.extract_lane(four, 0) + i32x4.extract_lane(four, 1) + i32x4.extract_lane(four, 2) + i32x4.extract_lane(four, 3);
}

function laneLeast(four: v128): f32 {
  const two = f32x4.pmin(four, upper(four));
  return min<f32>(f32x4.extract_lane(two, 0), f32x4.extract_lane(two, 1));
}

function laneMost(four: v128): f32 {
  const two = f32x4.pmax(four, upper(four));
  return max<f32>(f32x4.extract_lane(two, 0), f32x4.extract_lane(two, 1));
}

function eightSum(a: v128, b: v128, c: v128, d: v128): f64 {
  const two = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1);
}

/** Elements of each of eight lanes that are added in f32 before they join the sums in f64; a block is eight times that. */
const CHAIN: usize = 16;

/**
 * The same for values that are all finite and neither very large nor very small, faster: differences and squares in f32, chains of
 * CHAIN of them added in f32. into (f64) = [zeros, least, most, sum of x - centre, sum of (x - centre)^2].
 */
export function quickMoments(values: usize, count: i32, centre: f32, into: usize): void {
  const middle = f32x4.splat(centre);
  const none = f32x4.splat(0);
  let low = f32x4.splat(INFINITE);
  let high = f32x4.splat(-INFINITE);
  let zeros = i32x4.splat(0);
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  let q0 = f64x2.splat(0);
  let q1 = f64x2.splat(0);
  let q2 = f64x2.splat(0);
  let q3 = f64x2.splat(0);
  const end = values + ((<usize>count) << 2);
  for (let at = values; at < end; ) {
    const stop = min<usize>(end, at + 32 * CHAIN);
    let sa = none;
    let sb = none;
    let qa = none;
    let qb = none;
    for (; at < stop; at += 32) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      zeros = i32x4.sub(zeros, i32x4.add(f32x4.eq(a, none), f32x4.eq(b, none)));
      low = f32x4.pmin(f32x4.pmin(low, a), b);
      high = f32x4.pmax(f32x4.pmax(high, a), b);
      const da = f32x4.sub(a, middle);
      const db = f32x4.sub(b, middle);
      sa = f32x4.add(sa, da);
      sb = f32x4.add(sb, db);
      qa = f32x4.add(qa, f32x4.mul(da, da));
      qb = f32x4.add(qb, f32x4.mul(db, db));
    }
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(sa));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(upper(sa)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(sb));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(upper(sb)));
    q0 = f64x2.add(q0, f64x2.promote_low_f32x4(qa));
    q1 = f64x2.add(q1, f64x2.promote_low_f32x4(upper(qa)));
    q2 = f64x2.add(q2, f64x2.promote_low_f32x4(qb));
    q3 = f64x2.add(q3, f64x2.promote_low_f32x4(upper(qb)));
  }
  store<f64>(into, <f64>laneSum(zeros));
  store<f64>(into, <f64>laneLeast(low), 8);
  store<f64>(into, <f64>laneMost(high), 16);
  store<f64>(into, eightSum(s0, s1, s2, s3), 24);
  store<f64>(into, eightSum(q0, q1, q2, q3), 32);
}

/** Bytes of one table of counts: 1,024 bins, one more for the largest value itself, and room up to a multiple of 64 bytes. */
const TABLE: usize = 4160;
/** 1,024 as f64 begins with these 12 bits: what 1,024 + bin has after them is the bin, shifted to a multiple of 4 bytes. */
const OFFSET: i32 = 0x409 << 12;

/**
 * Adds one for each value to the bin (x - from) * scale, rounded down, of four tables of u32 taken in turn, so that equal neighbours
 * do not wait for each other. With `masked`, a value that is not finite counts as `largest`; otherwise all are finite.
 */
export function addToHistogram(values: usize, count: i32, masked: bool, largest: f32, from: f64, scale: f64, tables: usize): void {
  const infinite = f32x4.splat(INFINITE);
  const most = f32x4.splat(largest);
  const least = f64x2.splat(from);
  const times = f64x2.splat(scale);
  const base = i32x4.splat(<i32>tables - OFFSET);
  const end = values + ((<usize>count) << 2);
  if (masked)
    for (let at = values; at < end; at += 16) {
      const x = v128.load(at);
      countFour(placesOf(v128.bitselect(x, most, f32x4.lt(f32x4.abs(x), infinite)), least, times, base));
    }
  else for (let at = values; at < end; at += 16) countFour(placesOf(v128.load(at), least, times, base));
}

// @ts-ignore: decorator
@inline
function placesOf(x: v128, least: v128, times: v128, base: v128): v128 {
  const lift = f64x2.splat(1024);
  const a = f64x2.add(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), least), times), lift);
  const b = f64x2.add(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(upper(x)), least), times), lift);
  const heads = i8x16.shuffle(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  return i32x4.add(v128.and(i32x4.shr_u(heads, 8), i32x4.splat(~3)), base);
}

// @ts-ignore: decorator
@inline
function countFour(places: v128): void {
  const first = i64x2.extract_lane(places, 0);
  const second = i64x2.extract_lane(places, 1);
  let place: usize = <u32>first;
  store<u32>(place, load<u32>(place) + 1);
  place = <u32>(first >>> 32);
  store<u32>(place, load<u32>(place, TABLE) + 1, TABLE);
  place = <u32>second;
  store<u32>(place, load<u32>(place, 2 * TABLE) + 1, 2 * TABLE);
  place = <u32>(second >>> 32);
  store<u32>(place, load<u32>(place, 3 * TABLE) + 1, 3 * TABLE);
}
