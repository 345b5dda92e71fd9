import { openGram } from '../../kernels/gram.ts';

// N tokens, P and Q widths

/**
 * Linear centred kernel alignment of two sets of features of the same tokens, collected token by token:
 * |X^T Y|^2 / (|X^T X| |Y^T Y|) with centred columns and Frobenius norms. 1 when one is the other turned, mirrored or scaled.
 * source  Kornblith et al., Similarity of Neural Network Representations Revisited, ICML 2019
 */
export class Alignment {
  readonly #widths: readonly [number, number];
  readonly #gram: ReturnType<typeof openGram>;
  readonly #sums: Float64Array;
  tokens = 0;

  constructor(p: number, q: number) {
    this.#widths = [p, q];
    this.#gram = openGram(p + q);
    this.#gram.start(p + q);
    this.#sums = new Float64Array(p + q);
  }

  /** `x_NP` and `y_NQ`: `count` tokens of each. */
  add(x_NP: Float32Array, y_NQ: Float32Array, count: number): void {
    const [p, q] = this.#widths;
    const width = p + q;
    const both = new Float32Array(count * width);
    for (let n = 0; n < count; n++) {
      both.set(x_NP.subarray(n * p, (n + 1) * p), n * width);
      both.set(y_NQ.subarray(n * q, (n + 1) * q), n * width + p);
      for (let i = 0; i < width; i++) this.#sums[i]! += both[n * width + i]!;
    }
    this.#gram.add(both, count, 1, width);
    this.tokens += count;
  }

  /** 0 to 1; NaN for fewer than two tokens, or features that do not vary. */
  value(): number {
    const [p, q] = this.#widths;
    const width = p + q;
    const gram = this.#gram.values();
    let [xx, xy, yy] = [0, 0, 0];
    for (let i = 0; i < width; i++)
      for (let j = 0; j <= i; j++) {
        const covariance = gram[i * width + j]! - (this.#sums[i]! * this.#sums[j]!) / this.tokens;
        const square = covariance * covariance * (i === j ? 1 : 2);
        if (i < p) xx += square;
        else if (j < p) xy += square / 2;
        else yy += square;
      }
    return Math.min(1, xy / Math.sqrt(xx * yy));
  }
}

/** Similarities of tokens as one layer sees them, centred: [N, N]. For layers of any width: ckaOf compares two. */
export function centredKernel(x_NP: Float32Array, count: number): Float64Array {
  const width = x_NP.length / count;
  const gram = openGram(count);
  gram.start(count);
  gram.add(x_NP, width, width, 1);
  const kernel = gram.values();
  const means = Float64Array.from({ length: count }, (_, r) => {
    let sum = 0;
    for (let c = 0; c < count; c++) sum += kernel[r * count + c]!;
    return sum / count;
  });
  const all = means.reduce((sum, mean) => sum + mean, 0) / count;
  for (let r = 0; r < count; r++) for (let c = 0; c < count; c++) kernel[r * count + c]! += all - means[r]! - means[c]!;
  return kernel;
}

export function ckaOf(a_NN: Float64Array, b_NN: Float64Array): number {
  let [aa, ab, bb] = [0, 0, 0];
  for (let i = 0; i < a_NN.length; i++) {
    aa += a_NN[i]! * a_NN[i]!;
    ab += a_NN[i]! * b_NN[i]!;
    bb += b_NN[i]! * b_NN[i]!;
  }
  return Math.min(1, ab / Math.sqrt(aa * bb));
}
