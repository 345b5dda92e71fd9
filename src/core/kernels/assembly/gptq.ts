// GPTQ's inner loops in f32: the twin of ../linear-algebra/gptq-plain.ts, equal bit for bit. Pointers are byte offsets, strides bytes.

/**
 * Columns [from, to) of a block of `width` columns, one after the other: each is rounded to its level, and what that changed, over the
 * diagonal of U, is taken from the columns of the block behind it. Columns before it are overwritten: their levels are known.
 * weights  the block, `rows` rows          upper   the block of U on the diagonal, [width, width]
 * levels   bytes [rows, ...]               errors  [rows, width]
 * scales and zeros are those of a row, or with `byColumn` of each of its columns, [rows, width]
 */
export function gptqColumns(
  weights: usize, stride: usize, rows: i32, width: i32, from: i32, to: i32,
  upper: usize, scales: usize, zeros: usize, low: f32, high: f32,
  levels: usize, levelStride: usize, errors: usize, byColumn: bool,
): void {
  const uStride = (<usize>width) << 2;
  for (let r = 0; r < rows; r++) {
    const row = weights + (<usize>r) * stride;
    const place = byColumn ? (<usize>r) * uStride : (<usize>r) << 2;
    const error = errors + (<usize>r) * uStride;
    for (let i = from; i < to; i++) {
      const w = load<f32>(row + ((<usize>i) << 2));
      const u = upper + (<usize>i) * uStride;
      const at = place + (byColumn ? (<usize>i) << 2 : 0);
      const scale = load<f32>(scales + at);
      const zero = load<f32>(zeros + at);
      const level = scale > 0 ? max<f32>(min<f32>(nearest<f32>(w / scale) + zero, high), low) : zero;
      store<u8>(levels + (<usize>r) * levelStride + i, <u8>(<i32>level));
      const change = (w - (level - zero) * scale) / load<f32>(u + ((<usize>i) << 2));
      store<f32>(error + ((<usize>i) << 2), change);
      const by = f32x4.splat(change);
      for (let j = (i + 1) & ~3; j < width; j += 4) {
        const to = (<usize>j) << 2;
        v128.store(row + to, f32x4.sub(v128.load(row + to), f32x4.mul(by, v128.load(u + to))));
      }
    }
  }
}

/**
 * weights [rows, 8 panels] -= errors [rows, depth] * U, which lies in panels of eight columns, row after row. `rows` is a multiple of 4.
 */
export function gptqBehind(weights: usize, stride: usize, rows: i32, errors: usize, depth: i32, upper: usize, panels: i32): void {
  const errorStride = (<usize>depth) << 2;
  for (let p = 0; p < panels; p++) {
    const panel = upper + (<usize>p) * (<usize>depth) * 32;
    for (let r = 0; r < rows; r += 4) {
      const first = weights + (<usize>r) * stride + ((<usize>p) << 5);
      const second = first + stride;
      const third = second + stride;
      const fourth = third + stride;
      let a0 = v128.load(first);
      let a1 = v128.load(first, 16);
      let b0 = v128.load(second);
      let b1 = v128.load(second, 16);
      let c0 = v128.load(third);
      let c1 = v128.load(third, 16);
      let d0 = v128.load(fourth);
      let d1 = v128.load(fourth, 16);
      let u = panel;
      let a = errors + (<usize>r) * errorStride;
      let b = a + errorStride;
      let c = b + errorStride;
      let d = c + errorStride;
      for (let k = 0; k < depth; k++) {
        const u0 = v128.load(u);
        const u1 = v128.load(u, 16);
        let e = v128.load32_splat(a);
        a0 = f32x4.sub(a0, f32x4.mul(e, u0));
        a1 = f32x4.sub(a1, f32x4.mul(e, u1));
        e = v128.load32_splat(b);
        b0 = f32x4.sub(b0, f32x4.mul(e, u0));
        b1 = f32x4.sub(b1, f32x4.mul(e, u1));
        e = v128.load32_splat(c);
        c0 = f32x4.sub(c0, f32x4.mul(e, u0));
        c1 = f32x4.sub(c1, f32x4.mul(e, u1));
        e = v128.load32_splat(d);
        d0 = f32x4.sub(d0, f32x4.mul(e, u0));
        d1 = f32x4.sub(d1, f32x4.mul(e, u1));
        u += 32;
        a += 4;
        b += 4;
        c += 4;
        d += 4;
      }
      v128.store(first, a0);
      v128.store(first, a1, 16);
      v128.store(second, b0);
      v128.store(second, b1, 16);
      v128.store(third, c0);
      v128.store(third, c1, 16);
      v128.store(fourth, d0);
      v128.store(fourth, d1, 16);
    }
  }
}
