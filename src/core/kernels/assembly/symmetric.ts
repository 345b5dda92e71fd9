// Symmetric matrices in f64, two lanes at a time: the twin of ../symmetric-plain.ts, equal within rounding (the order of additions
// differs). Pointers are byte offsets into the imported memory; `stride` is the bytes of a row, a multiple of 32. N rows and columns.

/**
 * gram_NN += the products of columns with columns, in the lower triangle by blocks of four. Columns lie in strips of four: element k of
 * strip s is 32 bytes at strips + (s * depth + k) * 32.
 */
export function addGram(strips: usize, depth: i32, count: i32, gram: usize, stride: i32): void {
  const stripBytes = (<usize>depth) << 5;
  for (let i = 0; i < count; i++) {
    const rows = gram + (<usize>i) * 4 * stride;
    for (let j = 0; j <= i; j++)
      addBlock(strips + (<usize>i) * stripBytes, strips + (<usize>j) * stripBytes, depth, rows + ((<usize>j) << 5), stride);
  }
}

/** into_44 += left_K4^T right_K4 */
function addBlock(left: usize, right: usize, depth: i32, into: usize, stride: i32): void {
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
    s00 = f64x2.add(s00, f64x2.mul(l, r0));
    s01 = f64x2.add(s01, f64x2.mul(l, r1));
    l = v128.load64_splat(left, 8);
    s10 = f64x2.add(s10, f64x2.mul(l, r0));
    s11 = f64x2.add(s11, f64x2.mul(l, r1));
    l = v128.load64_splat(left, 16);
    s20 = f64x2.add(s20, f64x2.mul(l, r0));
    s21 = f64x2.add(s21, f64x2.mul(l, r1));
    l = v128.load64_splat(left, 24);
    s30 = f64x2.add(s30, f64x2.mul(l, r0));
    s31 = f64x2.add(s31, f64x2.mul(l, r1));
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

/** into_N = matrix_NN * vector_N for the rows [first, last); reads the lower triangle only, and adds what lies above it by symmetry. */
export function symmetricProduct(matrix: usize, stride: i32, first: i32, last: i32, vector: usize, into: usize): void {
  for (let r = first; r < last; r++) {
    const row = matrix + (<usize>r) * stride;
    const own = load<f64>(vector + ((<usize>r) << 3));
    const four = f64x2.splat(own);
    let lanes = f64x2.splat(0);
    let c = 0;
    for (; c <= r - 2; c += 2) {
      const at = (<usize>c) << 3;
      const values = v128.load(row + at);
      lanes = f64x2.add(lanes, f64x2.mul(values, v128.load(vector + at)));
      v128.store(into + at, f64x2.add(v128.load(into + at), f64x2.mul(values, four)));
    }
    let sum = f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1);
    for (; c < r; c++) {
      const at = (<usize>c) << 3;
      const value = load<f64>(row + at);
      sum += value * load<f64>(vector + at);
      store<f64>(into + at, load<f64>(into + at) + value * own);
    }
    const diagonal = (<usize>r) << 3;
    store<f64>(into + diagonal, load<f64>(into + diagonal) + sum + load<f64>(row + diagonal) * own);
  }
}

/** matrix_NN -= u_N q_N^T + q_N u_N^T in the lower triangle of the rows [first, last). */
export function rankTwoUpdate(matrix: usize, stride: i32, first: i32, last: i32, u: usize, q: usize): void {
  for (let r = first; r < last; r++) {
    const row = matrix + (<usize>r) * stride;
    const ur = load<f64>(u + ((<usize>r) << 3));
    const qr = load<f64>(q + ((<usize>r) << 3));
    const us = f64x2.splat(ur);
    const qs = f64x2.splat(qr);
    let c = 0;
    for (; c <= r - 1; c += 2) {
      const at = (<usize>c) << 3;
      const change = f64x2.add(f64x2.mul(us, v128.load(q + at)), f64x2.mul(qs, v128.load(u + at)));
      v128.store(row + at, f64x2.sub(v128.load(row + at), change));
    }
    for (; c <= r; c++) {
      const at = (<usize>c) << 3;
      store<f64>(row + at, load<f64>(row + at) - (ur * load<f64>(q + at) + qr * load<f64>(u + at)));
    }
  }
}
