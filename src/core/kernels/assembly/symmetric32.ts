// Symmetric matrices in f32, four lanes at a time: the twin of ../linear-algebra/symmetric32-plain.ts, equal within rounding (the order
// of additions differs). Pointers are byte offsets into the imported memory; `stride` is the bytes of a row, a multiple of 16.

/** into_N += matrix_NN * vector_N for the rows [0, count) and what mirrors them; reads the lower triangle only. */
export function symmetricProduct32(matrix: usize, stride: i32, count: i32, vector: usize, into: usize): void {
  let r = 0;
  for (; r + 1 < count; r += 2) {
    const upper = matrix + (<usize>r) * stride;
    const lower = upper + stride;
    const a = load<f32>(vector + ((<usize>r) << 2));
    const b = load<f32>(vector + ((<usize>(r + 1)) << 2));
    const as = f32x4.splat(a);
    const bs = f32x4.splat(b);
    let sumsA = f32x4.splat(0);
    let sumsB = f32x4.splat(0);
    let c = 0;
    for (; c <= r - 4; c += 4) {
      const at = (<usize>c) << 2;
      const v = v128.load(vector + at);
      const m = v128.load(upper + at);
      const n = v128.load(lower + at);
      sumsA = f32x4.add(sumsA, f32x4.mul(m, v));
      sumsB = f32x4.add(sumsB, f32x4.mul(n, v));
      v128.store(into + at, f32x4.add(v128.load(into + at), f32x4.add(f32x4.mul(m, as), f32x4.mul(n, bs))));
    }
    let sumA = lanes(sumsA);
    let sumB = lanes(sumsB);
    for (; c < r; c++) {
      const at = (<usize>c) << 2;
      const v = load<f32>(vector + at);
      const m = load<f32>(upper + at);
      const n = load<f32>(lower + at);
      sumA += m * v;
      sumB += n * v;
      store<f32>(into + at, load<f32>(into + at) + (m * a + n * b));
    }
    const at = (<usize>r) << 2;
    const beside = load<f32>(lower + at);
    store<f32>(into + at, load<f32>(into + at) + (sumA + load<f32>(upper + at) * a + beside * b));
    store<f32>(into + at + 4, load<f32>(into + at + 4) + (sumB + beside * a + load<f32>(lower + at + 4) * b));
  }
  if (r < count) {
    const row = matrix + (<usize>r) * stride;
    const a = load<f32>(vector + ((<usize>r) << 2));
    let sum: f32 = 0;
    for (let c = 0; c < r; c++) {
      const at = (<usize>c) << 2;
      const m = load<f32>(row + at);
      sum += m * load<f32>(vector + at);
      store<f32>(into + at, load<f32>(into + at) + m * a);
    }
    const at = (<usize>r) << 2;
    store<f32>(into + at, load<f32>(into + at) + (sum + load<f32>(row + at) * a));
  }
}

function lanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** matrix_NN -= u_N q_N^T + q_N u_N^T in the lower triangle of the rows [0, count), and up to three elements beside it. */
export function rankTwoUpdate32(matrix: usize, stride: i32, count: i32, u: usize, q: usize): void {
  for (let r = 0; r < count; r += 2) {
    // The row behind the last is nobody's: what is done to it does not matter, and it is there.
    const upper = matrix + (<usize>r) * stride;
    const lower = upper + stride;
    const place = (<usize>r) << 2;
    const ua = v128.load32_splat(u + place);
    const ub = v128.load32_splat(u + place, 4);
    const qa = v128.load32_splat(q + place);
    const qb = v128.load32_splat(q + place, 4);
    const last = r + 1 < count ? r + 1 : r;
    for (let c = 0; c <= last; c += 4) {
      const at = (<usize>c) << 2;
      const us = v128.load(u + at);
      const qs = v128.load(q + at);
      v128.store(upper + at, f32x4.sub(v128.load(upper + at), f32x4.add(f32x4.mul(ua, qs), f32x4.mul(qa, us))));
      if (r + 1 < count)
        v128.store(lower + at, f32x4.sub(v128.load(lower + at), f32x4.add(f32x4.mul(ub, qs), f32x4.mul(qb, us))));
    }
  }
}
