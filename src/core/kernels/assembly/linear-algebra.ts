// Dense linear algebra in f64, two lanes at a time: the twin of ../linear-algebra/plain.ts. Pointers are byte offsets into the imported
// memory, strides are bytes. A strip is four vectors side by side: element k of vector v is 8 bytes at strip + k * 32 + v * 8.

/**
 * The 4 x 4 block at into + i * downStride + j * acrossStride -= left_i^T right_j, for the strips i and j; with `lower` only j <= i.
 * The four rows of a block are `stride` apart.
 */
export function subtractProducts(
  left: usize, leftStride: usize, leftCount: i32,
  right: usize, rightStride: usize, rightCount: i32,
  depth: i32, lower: bool,
  into: usize, stride: usize, downStride: usize, acrossStride: usize,
): void {
  for (let i = 0; i < leftCount; i++) {
    const last = lower ? min<i32>(i + 1, rightCount) : rightCount;
    const l = left + (<usize>i) * leftStride;
    let r = right;
    let block = into + (<usize>i) * downStride;
    for (let j = 0; j < last; j++) {
      subtractBlock(l, r, depth, block, stride);
      r += rightStride;
      block += acrossStride;
    }
  }
}

function subtractBlock(left: usize, right: usize, depth: i32, into: usize, stride: usize): void {
  const second = into + stride;
  const third = second + stride;
  const fourth = third + stride;
  let s00 = v128.load(into);
  let s01 = v128.load(into, 16);
  let s10 = v128.load(second);
  let s11 = v128.load(second, 16);
  let s20 = v128.load(third);
  let s21 = v128.load(third, 16);
  let s30 = v128.load(fourth);
  let s31 = v128.load(fourth, 16);
  for (let k = 0; k < depth; k++) {
    const r0 = v128.load(right);
    const r1 = v128.load(right, 16);
    let l = v128.load64_splat(left);
    s00 = f64x2.sub(s00, f64x2.mul(l, r0));
    s01 = f64x2.sub(s01, f64x2.mul(l, r1));
    l = v128.load64_splat(left, 8);
    s10 = f64x2.sub(s10, f64x2.mul(l, r0));
    s11 = f64x2.sub(s11, f64x2.mul(l, r1));
    l = v128.load64_splat(left, 16);
    s20 = f64x2.sub(s20, f64x2.mul(l, r0));
    s21 = f64x2.sub(s21, f64x2.mul(l, r1));
    l = v128.load64_splat(left, 24);
    s30 = f64x2.sub(s30, f64x2.mul(l, r0));
    s31 = f64x2.sub(s31, f64x2.mul(l, r1));
    left += 32;
    right += 32;
  }
  v128.store(into, s00);
  v128.store(into, s01, 16);
  v128.store(second, s10);
  v128.store(second, s11, 16);
  v128.store(third, s20);
  v128.store(third, s21, 16);
  v128.store(fourth, s30);
  v128.store(fourth, s31, 16);
}

/** L x = b for the four vectors of each strip, in place; the lower triangle L has `depth` rows, `stride` apart. */
export function solveStrips(strips: usize, stripStride: usize, count: i32, depth: i32, lower: usize, stride: usize): void {
  for (let s = 0; s < count; s++) {
    const strip = strips + (<usize>s) * stripStride;
    for (let j = 0; j < depth; j++) {
      const row = lower + (<usize>j) * stride;
      const at = strip + ((<usize>j) << 5);
      let a = v128.load(at);
      let b = v128.load(at, 16);
      for (let i = 0; i < j; i++) {
        const l = v128.load64_splat(row + ((<usize>i) << 3));
        const x = strip + ((<usize>i) << 5);
        a = f64x2.sub(a, f64x2.mul(l, v128.load(x)));
        b = f64x2.sub(b, f64x2.mul(l, v128.load(x, 16)));
      }
      const d = v128.load64_splat(row + ((<usize>j) << 3));
      v128.store(at, f64x2.div(a, d));
      v128.store(at, f64x2.div(b, d), 16);
    }
  }
}

/** L^T x = b, likewise. */
export function solveStripsBack(strips: usize, stripStride: usize, count: i32, depth: i32, lower: usize, stride: usize): void {
  for (let s = 0; s < count; s++) {
    const strip = strips + (<usize>s) * stripStride;
    for (let j = depth - 1; j >= 0; j--) {
      const column = lower + ((<usize>j) << 3);
      const at = strip + ((<usize>j) << 5);
      let a = v128.load(at);
      let b = v128.load(at, 16);
      for (let i = j + 1; i < depth; i++) {
        const l = v128.load64_splat(column + (<usize>i) * stride);
        const x = strip + ((<usize>i) << 5);
        a = f64x2.sub(a, f64x2.mul(l, v128.load(x)));
        b = f64x2.sub(b, f64x2.mul(l, v128.load(x, 16)));
      }
      const d = v128.load64_splat(column + (<usize>j) * stride);
      v128.store(at, f64x2.div(a, d));
      v128.store(at, f64x2.div(b, d), 16);
    }
  }
}

/**
 * The rows i + 1 and i of a matrix become s * row i + c * row i+1 and c * row i - s * row i+1, for i from `last` - 1 down to `first`:
 * c and s of rotation i are two f64 at turns + i * 16. `length` is a multiple of 2.
 */
export function rotateRows(matrix: usize, stride: usize, length: i32, first: i32, last: i32, turns: usize): void {
  for (let i = last - 1; i >= first; i--) {
    const low = matrix + (<usize>i) * stride;
    const high = low + stride;
    const c = v128.load64_splat(turns + ((<usize>i) << 4));
    const s = v128.load64_splat(turns + ((<usize>i) << 4), 8);
    for (let k = 0; k < length; k += 2) {
      const at = (<usize>k) << 3;
      const a = v128.load(low + at);
      const b = v128.load(high + at);
      v128.store(high + at, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, b)));
      v128.store(low + at, f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, b)));
    }
  }
}

/** row -= (row . u / half) u for the rows [0, count) of a matrix; `length` is a multiple of 2. */
export function reflectRows(matrix: usize, stride: usize, count: i32, u: usize, length: i32, half: f64): void {
  for (let r = 0; r < count; r++) {
    const row = matrix + (<usize>r) * stride;
    let dot = f64x2.splat(0);
    for (let k = 0; k < length; k += 2) {
      const at = (<usize>k) << 3;
      dot = f64x2.add(dot, f64x2.mul(v128.load(row + at), v128.load(u + at)));
    }
    const by = f64x2.splat((f64x2.extract_lane(dot, 0) + f64x2.extract_lane(dot, 1)) / half);
    for (let k = 0; k < length; k += 2) {
      const at = (<usize>k) << 3;
      v128.store(row + at, f64x2.sub(v128.load(row + at), f64x2.mul(by, v128.load(u + at))));
    }
  }
}
