// Rounding of weights in blocks that share a scale: the twin of ../blocks-plain.ts, equal bit for bit. Pointers are byte offsets.

// The four channels from `first` on, or the last ones again: element i of each as four lanes at panel + 16 i, zeros behind `length`.
// @ts-ignore: decorator
@inline
function gather(at0: usize, at1: usize, at2: usize, at3: usize, elementStride: usize, length: i32, size: i32, panel: usize): void {
  let i = 0;
  if (elementStride == 4)
    for (; i <= length - 4; i += 4) {
      const by = (<usize>i) << 2;
      const a = v128.load(at0 + by);
      const b = v128.load(at1 + by);
      const c = v128.load(at2 + by);
      const d = v128.load(at3 + by);
      const ab0 = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const ab1 = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const cd0 = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const cd1 = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const to = panel + ((<usize>i) << 4);
      v128.store(to, i8x16.shuffle(ab0, cd0, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
      v128.store(to, i8x16.shuffle(ab0, cd0, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 16);
      v128.store(to, i8x16.shuffle(ab1, cd1, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 32);
      v128.store(to, i8x16.shuffle(ab1, cd1, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 48);
    }
  else if (at3 - at0 == 12)
    for (; i < length; i++) v128.store(panel + ((<usize>i) << 4), v128.load(at0 + (<usize>i) * elementStride));
  for (; i < length; i++) {
    const by = (<usize>i) * elementStride;
    const to = panel + ((<usize>i) << 4);
    store<f32>(to, load<f32>(at0 + by));
    store<f32>(to, load<f32>(at1 + by), 4);
    store<f32>(to, load<f32>(at2 + by), 8);
    store<f32>(to, load<f32>(at3 + by), 12);
  }
  for (; i < size; i++) v128.store(panel + ((<usize>i) << 4), f32x4.splat(0));
}

// Sixteen channels that lie side by side, which is a cache line: four panels as `gather` makes them, one behind the other.
// @ts-ignore: decorator
@inline
function gatherLines(values: usize, elementStride: usize, length: i32, size: i32, panel: usize): void {
  const behind = (<usize>size) << 4;
  let i = 0;
  for (; i < length; i++, values += elementStride, panel += 16) {
    v128.store(panel, v128.load(values));
    v128.store(panel + behind, v128.load(values, 16));
    v128.store(panel + 2 * behind, v128.load(values, 32));
    v128.store(panel + 3 * behind, v128.load(values, 48));
  }
  const none = f32x4.splat(0);
  for (; i < size; i++, panel += 16) {
    v128.store(panel, none);
    v128.store(panel + behind, none);
    v128.store(panel + 2 * behind, none);
    v128.store(panel + 3 * behind, none);
  }
}

// @ts-ignore: decorator
@inline
function squaredError(four: v128, inverse: v128, scale: v128, from: v128, to: v128): v128 {
  const steps = f32x4.pmax(f32x4.pmin(f32x4.nearest(f32x4.mul(four, inverse)), to), from);
  const change = f32x4.sub(f32x4.mul(steps, scale), four);
  return f32x4.mul(change, change);
}

// 2^23 + 2^22: what is added to it is rounded to a whole number, half to even, and stands in its low bits.
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/**
 * One block of each channel: element i of channel c at values + c channelStride + i elementStride. Scale (f32) and zero point (u8) go
 * to c scaleStride and c zeroStride, levels to c packedStride, 8 / bits in a byte, low bits first; `packed` 0: no levels.
 * Squared errors are added in four interleaved sums.
 * size is a multiple of 16, panel has room for 64 size bytes.
 */
export function quantizeBlocks(
  values: usize, channelStride: usize, elementStride: usize, channels: i32, length: i32, size: i32,
  bits: i32, symmetric: bool, ratios: usize, ratioCount: i32,
  packed: usize, packedStride: usize, scales: usize, scaleStride: usize, zeros: usize, zeroStride: usize, panel: usize,
): void {
  const last = channels - 1;
  for (let c = 0; c < channels; ) {
    const count = channelStride == 4 && c + 16 <= channels ? 16 : 4;
    const from = values + (<usize>c) * channelStride;
    if (count == 16) gatherLines(from, elementStride, length, size, panel);
    else
      gather(from, values + (<usize>min<i32>(c + 1, last)) * channelStride, values + (<usize>min<i32>(c + 2, last)) * channelStride,
        values + (<usize>min<i32>(c + 3, last)) * channelStride, elementStride, length, size, panel);
    for (let k = 0; k < count; k += 4)
      quantizeFour(panel + (<usize>(k * size) << 2), size, bits, symmetric, ratios, ratioCount,
        c + k, last, packed, packedStride, scales, scaleStride, zeros, zeroStride);
    c += count;
  }
}

/** The panel of the four channels from `c` on; those behind `last` are the last again. */
function quantizeFour(
  panel: usize, size: i32, bits: i32, symmetric: bool, ratios: usize, ratioCount: i32, c: i32, last: i32,
  packed: usize, packedStride: usize, scales: usize, scaleStride: usize, zeros: usize, zeroStride: usize,
): void {
  const top = f32x4.splat(<f32>((1 << bits) - 1));
  const none = f32x4.splat(0);
  const one = f32x4.splat(1);
  const middle = f32x4.splat(<f32>(1 << (bits - 1)));
  const tiny = f32x4.splat(1.1754943508222875e-38);
  const each = 32 / bits;
  const c1 = <usize>min<i32>(c + 1, last);
  const c2 = <usize>min<i32>(c + 2, last);
  const c3 = <usize>min<i32>(c + 3, last);
  const end = panel + ((<usize>size) << 4);
  let low = none;
  let high = none;
  let missing = none;
  for (let at = panel; at < end; at += 32) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    low = f32x4.pmin(low, f32x4.pmin(a, b));
    high = f32x4.pmax(high, f32x4.pmax(a, b));
    missing = v128.or(missing, v128.or(f32x4.ne(a, a), f32x4.ne(b, b)));
  }
  if (symmetric) {
    high = f32x4.max(high, f32x4.neg(low));
    low = f32x4.neg(high);
  }
  const span = v128.or(f32x4.sub(high, low), missing);
  const isFinite = f32x4.lt(span, f32x4.splat(Infinity));
  let scale = none;
  let inverse = none;
  let zero = middle;
  let least = f32x4.splat(Infinity);
  for (let r = 0; r < ratioCount; r++) {
    const ratio = v128.load32_splat(ratios + ((<usize>r) << 2));
    const tried = f32x4.div(f32x4.mul(span, ratio), top);
    const over = f32x4.div(one, tried);
    const from = symmetric
      ? middle
      : f32x4.max(f32x4.min(f32x4.nearest(f32x4.mul(f32x4.mul(f32x4.neg(low), ratio), over)), top), none);
    const lowest = f32x4.neg(from);
    const highest = f32x4.sub(top, from);
    let error = none;
    if (ratioCount > 1) {
      let e0 = none, e1 = none, e2 = none, e3 = none;
      for (let at = panel; at < end; at += 64) {
        e0 = f32x4.add(e0, squaredError(v128.load(at), over, tried, lowest, highest));
        e1 = f32x4.add(e1, squaredError(v128.load(at, 16), over, tried, lowest, highest));
        e2 = f32x4.add(e2, squaredError(v128.load(at, 32), over, tried, lowest, highest));
        e3 = f32x4.add(e3, squaredError(v128.load(at, 48), over, tried, lowest, highest));
      }
      error = f32x4.add(f32x4.add(e0, e1), f32x4.add(e2, e3));
    }
    const better = v128.and(isFinite, v128.and(f32x4.lt(error, least), f32x4.ge(tried, tiny)));
    least = v128.bitselect(error, least, better);
    scale = v128.bitselect(tried, scale, better);
    inverse = v128.bitselect(over, inverse, better);
    zero = v128.bitselect(from, zero, better);
  }
  // NaN and infinity show in the scale.
  scale = v128.bitselect(scale, span, isFinite);
  const s = scales + (<usize>c) * scaleStride;
  store<f32>(s, f32x4.extract_lane(scale, 0));
  store<f32>(scales + c1 * scaleStride, f32x4.extract_lane(scale, 1));
  store<f32>(scales + c2 * scaleStride, f32x4.extract_lane(scale, 2));
  store<f32>(scales + c3 * scaleStride, f32x4.extract_lane(scale, 3));
  const points = i32x4.trunc_sat_f32x4_s(zero);
  store<u8>(zeros + (<usize>c) * zeroStride, i32x4.extract_lane(points, 0));
  store<u8>(zeros + c1 * zeroStride, i32x4.extract_lane(points, 1));
  store<u8>(zeros + c2 * zeroStride, i32x4.extract_lane(points, 2));
  store<u8>(zeros + c3 * zeroStride, i32x4.extract_lane(points, 3));
  if (packed == 0) return;
  let p0 = packed + (<usize>c) * packedStride;
  let p1 = packed + c1 * packedStride;
  let p2 = packed + c2 * packedStride;
  let p3 = packed + c3 * packedStride;
  const lowest = f32x4.neg(zero);
  const highest = f32x4.sub(top, zero);
  const shift0 = i32x4.sub(i32x4.splat(ROUNDER_BITS), points);
  for (let at = panel; at < end; ) {
    let word = i32x4.splat(0);
    for (let k = 0, shift = 0; k < each; k++, shift += bits, at += 16) {
      // What is no number is the lowest level.
      const steps = f32x4.pmin(f32x4.pmax(lowest, f32x4.mul(v128.load(at), inverse)), highest);
      word = v128.or(word, i32x4.shl(i32x4.sub(f32x4.add(steps, f32x4.splat(ROUNDER)), shift0), shift));
    }
    v128.store32_lane(p0, word, 0);
    v128.store32_lane(p1, word, 1);
    v128.store32_lane(p2, word, 2);
    v128.store32_lane(p3, word, 3);
    p0 += 4;
    p1 += 4;
    p2 += 4;
    p3 += 4;
  }
}
