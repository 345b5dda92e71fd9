import type { Sentence } from '../errors.ts';

// Where a model repeats itself. Plain data, as tree.ts.

/** One matrix's spectrum. */
export interface Spectrum {
  /** The organ: "encoder.layer.3.attention.self.query". */
  readonly id: string;
  readonly out: number;
  readonly in: number;
  /** Singular values, largest first: at most 260 of them, evenly along the curve with the first, the last and those of the ranks below; `ranks` says which. */
  readonly values: readonly number[];
  readonly ranks: readonly number[];
  /** Share of the energy (sum of squares) that the first `ranks[i]` singular values hold: exact, whatever points are kept. */
  readonly kept: readonly number[];
  /** Smallest rank that keeps so much of the energy (sum of squares). */
  readonly rank90: number;
  readonly rank95: number;
  readonly rank99: number;
  /** Above this rank two thin matrices are larger than the one: floor(out * in / (out + in)). */
  readonly breakEven: number;
}

/** Cosine between weights, -1 to 1: symmetric, `size` x `size`, row by row. */
export interface Similarity {
  readonly id: string;
  readonly labels: readonly string[];
  readonly size: number;
  readonly cosines: readonly number[];
  /** Sum of the squares of each one's weights: with the cosines, what replacing some of them by their mean would lose. */
  readonly energies?: readonly number[];
}

/** Rows of a table that are nearly the same as an earlier one: cosine of at least 0.99. */
export interface NearRows {
  /** Without the first of each group. */
  readonly rows: number;
  /** Bytes those rows take. */
  readonly byteLength: number;
  /** Largest first, at most 100; of each at most 12 rows are named. `cosine` is the smallest in the group. */
  readonly groups: readonly { readonly rows: readonly number[]; readonly count: number; readonly cosine: number }[];
}

export interface Repeat {
  readonly tensor: string;
  readonly of: string;
  /** 1: the same bytes. */
  readonly cosine: number;
  readonly byteLength: number;
}

export interface Redundancy {
  readonly version: 1;
  readonly spectra: readonly Spectrum[];
  /** Of stored layers to each other, all their matrices together; null with fewer than two of one shape. Layers of another shape (pruned) are left out. */
  readonly layers: Similarity | null;
  /** The same by each matrix of the layer: "attention.self.query". */
  readonly layerMatrices?: readonly Similarity[];
  /** Of the heads within each layer, by their value and output products. */
  readonly heads: readonly Similarity[];
  /** Identical and near-identical tensors (cosine of at least 0.999), largest first. */
  readonly repeats: readonly Repeat[];
  readonly vocabulary: {
    readonly rows: number;
    /** Rows that no training reached: constant, all zero, or equal to another row. */
    readonly unused: number;
    /** Bytes those rows take. */
    readonly byteLength: number;
    readonly examples: readonly number[];
    /** Rows that are nearly the same as another and are not among the unused ones. */
    readonly near?: NearRows;
    /** What the tokenizer beside the model calls the rows that are named here: row and token. */
    readonly tokens?: readonly (readonly [number, string])[];
  } | null;
  /** Share of weights whose magnitude is under 1 % of their matrix's standard deviation; by organ and in all. */
  readonly nearZero: { readonly all: number; readonly organs: readonly { readonly id: string; readonly share: number }[] };
  /** Matrices without a spectrum, and why. */
  readonly skipped?: readonly { readonly id: string; readonly reason: Sentence }[];
}

/** One row of "what would it save": a pass with options that makes sense here, from its own dry run. */
export interface Saving {
  readonly pass: string;
  readonly title: Sentence;
  readonly options: Readonly<Record<string, unknown>>;
  /** Exact; absent when it does not apply. */
  readonly fileBytes?: number;
  readonly savedBytes?: number;
  /** Why it does not apply. */
  readonly reason?: Sentence;
}
