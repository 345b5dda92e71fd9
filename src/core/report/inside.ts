// What is inside a tensor, as numbers to draw. Plain data, as tree.ts: aggregates and pages, never whole weights.

/** Of all values of one tensor (bf16 and fp8 as numbers, integers as integers); non-finite ones count in `nonFinite` only. */
export interface TensorStatistics {
  /** Whether a quantized matrix was multiplied out by its scale and zero point; otherwise the numbers are those the file holds. */
  readonly acting: boolean;
  /** Values in all. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Standard deviation of the population. */
  readonly std: number;
  readonly zeros: number;
  readonly nonFinite: number;
  /** By linear interpolation in the histogram, so within one bin of the exact value: 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99. */
  readonly percentiles: readonly { readonly at: number; readonly value: number }[];
  /** Equal bins from `from` to `to`; the last one includes `to`. */
  readonly histogram: { readonly from: number; readonly to: number; readonly counts: readonly number[] };
}

/** A window of a matrix: rows [top, bottom), columns [left, right). Tensors of more axes are seen as rows x last axis; vectors as one row. */
export interface Window {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface HeatMapRequest {
  /** Default: the whole matrix. */
  readonly window?: Window;
  /** At most so many cells across and down. */
  readonly columns: number;
  readonly rows: number;
}

/**
 * A matrix reduced to cells: the root mean square of the values in a cell, or the value itself (signed) where each cell is one value.
 * It is the matrix as it acts: rows are outputs and columns inputs, also where the file stores it [in, out] (`transposed`).
 */
export interface HeatMap {
  /** As in TensorStatistics. */
  readonly acting: boolean;
  /** Whether the file stores it the other way, so that row r, column c here is row c, column r on a page of values. */
  readonly transposed: boolean;
  readonly matrix: { readonly rows: number; readonly columns: number };
  readonly window: Window;
  readonly columns: number;
  readonly rows: number;
  /** rows x columns, row by row; null where a cell holds only non-finite values. */
  readonly cells: readonly (number | null)[];
  /** Whether each cell is one value. */
  readonly exact: boolean;
  /** Smallest and largest of the cells. */
  readonly from: number;
  readonly to: number;
  /** Where heads begin along an axis, when the tensor is a query, key or value (rows of [out, in]) or an attention output (columns): boundaries in matrix coordinates. */
  readonly heads?: { readonly axis: 'rows' | 'columns'; readonly boundaries: readonly number[] };
}

export interface MatrixDiffRequest extends HeatMapRequest {
  /** Output channel (row of a table) whose levels are wanted. Default: the one with the largest error. */
  readonly channel?: number;
}

/** One matrix or table in two models, as it acts. */
export interface MatrixDiff {
  readonly before: HeatMap;
  readonly after: HeatMap;
  /** After less before; null where the two have not the same shape. */
  readonly difference: HeatMap | null;
  /** Of all finite values before: equal bins from `from` to `to`. */
  readonly histogram: { readonly from: number; readonly to: number; readonly counts: readonly number[] };
  /** The channel whose error, as a share of its own size, is largest; null where there is no difference to speak of. */
  readonly worst: { readonly channel: number; readonly relative: number } | null;
  /** Output channels, or rows of a table, of the second model. */
  readonly channels: number;
  readonly channel: number;
  /** The values the channel takes after, ascending, and how often; null where they are too many to be levels. */
  readonly levels: readonly { readonly value: number; readonly count: number }[] | null;
}

export interface ValuesRequest {
  /** Index along each axis but the last two; [] for matrices and vectors. */
  readonly leading: readonly number[];
  readonly window: Window;
}

/** A page of real values as the file stores them, neither turned nor multiplied out: at most 10,000. Non-finite ones as text: "NaN", "Infinity", "-Infinity". 64-bit integers that are no safe number as text. */
export interface ValuesPage {
  readonly window: Window;
  readonly values: readonly (readonly (number | string)[])[];
}

/** Of one head's share of query, key, value (rows) and attention output (columns). */
export interface HeadMeasure {
  readonly layer: number;
  readonly head: number;
  /** Frobenius norm of all its weights. */
  readonly norm: number;
  /** Share of its weights that are zero, 0 to 1. */
  readonly zeros: number;
}
