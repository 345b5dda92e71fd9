import type { Moments } from './calibration.ts';

/** aᵀ b of a [n, d] and b [n, e], row-major [d, e], in fp32. */
export type TransposedProduct = (a: Float32Array, b: Float32Array, n: number, d: number, e: number) => Promise<Float32Array>;

/**
 * Sums about the mean of the first rows instead of about zero: products are made in fp32, and means that are large beside the
 * spread (some channels of a BERT) would eat its digits.
 */
export function momentsOf(product: TransposedProduct, d: number, e = 0): Moments {
  const [shiftX, shiftY] = [new Float64Array(d), new Float64Array(e)];
  const [sumX, sumY, squaresY] = [new Float64Array(d), new Float64Array(e), new Float64Array(e)];
  const [xx, xy] = [new Float64Array(d * d), new Float64Array(d * e)];
  let count = 0;
  /** Mean of the shifted variable. */
  const mean = (sum: Float64Array) => sum.map(value => value / Math.max(1, count));
  const meanX = () => mean(sumX).map((value, i) => value + shiftX[i]!);
  const meanY = () => mean(sumY).map((value, i) => value + shiftY[i]!);
  /** E[a b] - E[a] E[b], of [d, width]. */
  const covariance = (sums: Float64Array, b: Float64Array) => {
    const a = mean(sumX);
    const width = b.length;
    const found = new Float64Array(d * width);
    for (let i = 0; i < d; i++)
      for (let j = 0; j < width; j++) found[i * width + j] = sums[i * width + j]! / Math.max(1, count) - a[i]! * b[j]!;
    return found;
  };
  return {
    get count() {
      return count;
    },
    meanX,
    meanY,
    covarianceXX: () => covariance(xx, mean(sumX)),
    covarianceXY: () => covariance(xy, mean(sumY)),
    varianceY() {
      const b = mean(sumY);
      return squaresY.map((value, i) => value / Math.max(1, count) - b[i]! ** 2);
    },
    secondMomentXX() {
      const found = covariance(xx, mean(sumX));
      const means = meanX();
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) found[i * d + j]! += means[i]! * means[j]!;
      return found;
    },
    async add(x, y) {
      const n = x.length / d;
      if (!Number.isInteger(n) || (e > 0 && y?.length !== n * e))
        throw new RangeError(`rows of [${d}] and [${e}] from ${x.length} and ${y?.length ?? 0} numbers`);
      if (n === 0) return;
      if (count === 0) {
        shiftX.set(columnMeans(x, d));
        if (y) shiftY.set(columnMeans(y, e));
      }
      const shiftedX = shifted(x, shiftX, sumX);
      accumulate(xx, await product(shiftedX, shiftedX, n, d, d));
      if (e > 0) {
        const shiftedY = shifted(y!, shiftY, sumY);
        for (let row = 0, at = 0; row < n; row++) for (let j = 0; j < e; j++, at++) squaresY[j]! += shiftedY[at]! ** 2;
        accumulate(xy, await product(shiftedX, shiftedY, n, d, e));
      }
      count += n;
    },
  };
}

function columnMeans(rows: Float32Array, width: number): Float64Array {
  const means = new Float64Array(width);
  for (let at = 0; at < rows.length; at += width) for (let j = 0; j < width; j++) means[j]! += rows[at + j]!;
  const n = rows.length / width;
  return means.map(value => Math.fround(value / n));
}

/** A shifted copy; what was shifted is added to `sums`. */
function shifted(rows: Float32Array, shift: Float64Array, sums: Float64Array): Float32Array {
  const width = shift.length;
  const found = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += width)
    for (let j = 0; j < width; j++) {
      const value = rows[at + j]! - shift[j]!;
      found[at + j] = value;
      sums[j]! += value;
    }
  return found;
}

function accumulate(sums: Float64Array, more: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += more[i]!;
}
