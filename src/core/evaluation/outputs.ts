import { fail } from '../errors.ts';
import type { Values } from './runtime.ts';
import type { Pooling } from './task.ts';

// B batch, T tokens, C hidden size, K classes

/** The outputs of a model that are looked at. At least one is there. */
export interface Chosen {
  /** Vectors: [B, T, C] of tokens, or [B, C] of texts. */
  readonly vectors?: string;
  /** Predictions: [B, K], or [B, T, K]; [B, T] for the start of a span. */
  readonly logits?: string;
  /** [B, T], for the end of the span. */
  readonly ends?: string;
  /** K, of `logits`; 0 for a span. */
  readonly classes: number;
  /** Whether `logits` are [B, T, K]. */
  readonly isPerToken: boolean;
}

/** The outputs that a run must give. */
export const wantedOf = ({ vectors, logits, ends }: Chosen): string[] =>
  [vectors, logits, ends].filter(name => name !== undefined);

/** What a model said about one text: real tokens only, padding is left out. Views of the batch's outputs, but for the vector. */
export interface TextOutput {
  /** The vector of the text: pooled, or the logits themselves where that is all there is. */
  readonly vector: Float32Array;
  /** Every number of the output the vector is made of. */
  readonly values: Float32Array;
  /** One row a prediction: [rows, K]; of a span its start and its end, [2, T]. undefined for models that predict nothing. */
  readonly logits: Float32Array | undefined;
  readonly classes: number;
}

/**
 * Which outputs to look at, decided by the names and shapes of a first run.
 * throws  'unsupported' when no output has a row for each text
 */
export function chooseOutputs(results: ReadonlyMap<string, Values>, isClassification: boolean, file: string): Chosen {
  const usable = [...results].filter(([, { shape }]) => shape.length === 2 || shape.length === 3);
  const named = (pattern: RegExp) => usable.find(([name]) => pattern.test(name));
  const [start, end] = [named(/start/i), named(/(^|_)end/i)];
  if (start?.[1].shape.length === 2 && end?.[1].shape.length === 2)
    return { logits: start[0], ends: end[0], classes: 0, isPerToken: false };
  const logits =
    named(/logits|^prediction/i) ?? (isClassification ? usable.find(([, { shape }]) => shape.length === 2) : undefined);
  const rest = usable.filter(([name]) => name !== logits?.[0] && !/logits/i.test(name));
  const vectors =
    rest.find(([name]) => /last_hidden_state|token_embeddings|sentence_embedding/i.test(name)) ??
    rest.find(([, { shape }]) => shape.length === 3) ??
    rest[0];
  if (!vectors && !logits) {
    const names = [...results].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ');
    throw fail(
      'unsupported',
      'This model has no output with a vector or a prediction for each text. It has: {names}.',
      { names: names.slice(0, 400) },
      { file },
    );
  }
  return {
    ...(vectors && { vectors: vectors[0] }),
    ...(logits && { logits: logits[0] }),
    classes: logits ? logits[1].shape.at(-1)! : 0,
    isPerToken: logits?.[1].shape.length === 3,
  };
}

/** The part of row `b` that belongs to the text, whose `tokens` stand at the front. */
export function textOutput(
  results: ReadonlyMap<string, Values>,
  chosen: Chosen,
  b: number,
  tokens: number,
  pooling: Pooling,
): TextOutput {
  if (chosen.ends !== undefined) return spanOutput(results.get(chosen.logits!)!, results.get(chosen.ends)!, b, tokens);
  const logits = chosen.logits === undefined ? undefined : rowOf(results.get(chosen.logits)!, b, tokens);
  const main = chosen.vectors === undefined ? logits! : rowOf(results.get(chosen.vectors)!, b, tokens);
  return {
    vector: pool(main, pooling),
    values: main.data,
    logits: logits?.data,
    classes: logits?.width ?? 0,
  };
}

function spanOutput(starts: Values, ends: Values, b: number, tokens: number): TextOutput {
  const both = new Float32Array(2 * tokens);
  for (const [i, { data, shape }] of [starts, ends].entries()) {
    const first = b * shape[1]!;
    both.set(data.subarray(first, first + tokens), i * tokens);
  }
  return { vector: both, values: both, logits: both, classes: tokens };
}

interface RowsOfText {
  readonly data: Float32Array;
  readonly width: number;
}

function rowOf({ data, shape }: Values, b: number, tokens: number): RowsOfText {
  const perText = data.length / shape[0]!;
  const width = shape.at(-1)!;
  const start = b * perText;
  if (shape.length === 3) return { data: data.subarray(start, start + Math.min(perText, tokens * width)), width };
  return { data: data.subarray(start, start + width), width };
}

function pool({ data, width }: RowsOfText, pooling: Pooling): Float32Array {
  const rows = data.length / width;
  if (rows === 1 || pooling === 'cls') return data.slice(0, width);
  const sums = new Float64Array(width);
  for (let start = 0; start < data.length; start += width) for (let c = 0; c < width; c++) sums[c]! += data[start + c]!;
  const mean = new Float32Array(width);
  for (let c = 0; c < width; c++) mean[c] = sums[c]! / rows;
  return mean;
}

/** Whether every number is finite. A sum of finite fp32 numbers stays finite in fp64, and one NaN or infinity never leaves it. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Number.isFinite(sum);
}

/** The place of the largest number; the first of equals. */
export function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
