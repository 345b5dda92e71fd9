import type { Fit } from '../../../../src/core/passes/prune/fit.ts';

/** Numbers of about -0.5 to 0.5, the same each time. */
export function numbers(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** Rows x [tokens, inputs] that hang together, what a matrix makes of them [tokens, outputs], and the least squares of that. */
export function madeFit(inputs: number, outputs: number, tokens = 200, seed = 1) {
  const next = numbers(seed);
  const weight_IO = Float64Array.from({ length: inputs * outputs }, next);
  const bias_O = Float64Array.from({ length: outputs }, next);
  const mixing = Float64Array.from({ length: inputs * inputs }, next);
  const [x, y]: [number[][], number[][]] = [[], []];
  for (let t = 0; t < tokens; t++) {
    const source = Array.from({ length: inputs }, next);
    x.push(source.map((_, i) => source.reduce((sum, value, j) => sum + value * mixing[i * inputs + j]!, 0.3 * i + source[i]!)));
    y.push(
      Array.from(
        bias_O,
        (bias, o) => x[t]!.reduce((sum, value, i) => sum + value * weight_IO[i * outputs + o]!, bias) + next() / 10,
      ),
    );
  }
  const mean = (rows: number[][], width: number) =>
    Float64Array.from({ length: width }, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / tokens);
  const [meanX_I, meanY_O] = [mean(x, inputs), mean(y, outputs)];
  const together = (b: number[][], means: Float64Array) => {
    const found = new Float64Array(inputs * means.length);
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < means.length; j++)
        for (let t = 0; t < tokens; t++)
          found[i * means.length + j]! += ((x[t]![i]! - meanX_I[i]!) * (b[t]![j]! - means[j]!)) / tokens;
    return found;
  };
  const fit: Fit = {
    inputs,
    outputs,
    tokens,
    gram_II: together(x, meanX_I),
    cross_IO: together(y, meanY_O),
    meanX_I,
    meanY_O,
    weight_IO,
    bias_O,
    scale: 1,
  };
  return { fit, x, y };
}

/** Mean over tokens of the squared distance of W x + b to y, for the inputs that are kept. */
export function errorOf(
  x: number[][],
  y: number[][],
  kept: readonly number[],
  weight_KO: Float64Array,
  bias_O: Float64Array,
): number {
  let sum = 0;
  for (const [t, row] of x.entries())
    for (let o = 0; o < bias_O.length; o++) {
      let value = bias_O[o]!;
      for (const [k, i] of kept.entries()) value += weight_KO[k * bias_O.length + o]! * row[i]!;
      sum += (value - y[t]![o]!) ** 2;
    }
  return sum / x.length;
}
