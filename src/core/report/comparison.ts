import type { Sentence } from '../errors.ts';
import type { Recipe } from '../passes/pass.ts';
import type { NodeKind, TreeNode } from './tree.ts';

// Plain data, as tree.ts.

export interface Sizes {
  readonly parameters: number;
  readonly byteLength: number;
  /** Length of all the model's files on disk. */
  readonly fileBytes: number;
}

export interface Side {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly byteLength: number;
}

/** Of the weights as they act: a quantized or factored matrix is multiplied out first. */
export interface WeightError {
  /** ||after - before|| / ||before||, Frobenius. */
  readonly relative: number;
  readonly cosine: number;
  readonly maxAbs: number;
}

export type Change = 'same' | 'changed' | 'removed' | 'added' | 'replaced';

/** One row per tensor of either model, joined by the organ it belongs to. */
export interface ComparisonRow {
  /** Id of the tensor's row in the trees: "encoder.layer.3.attention.self.query.weight". */
  readonly id: string;
  readonly change: Change;
  readonly before: Side | null;
  readonly after: Side | null;
  readonly error: WeightError | null;
}

/** The answer of `compare`. */
export interface Comparison {
  readonly version: 1;
  readonly names: { readonly before: string; readonly after: string };
  readonly totals: { readonly before: Sizes; readonly after: Sizes };
  readonly rows: readonly ComparisonRow[];
  /** The two trees as one, for the diff panel: sizes of both sides at every level. */
  readonly tree: ComparisonNode;
  readonly heads: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    /** For each layer the heads of before that stayed, where config.json says which were taken (`pruned_heads`). */
    readonly kept?: readonly (readonly number[])[];
  };
  readonly outputs: null;
  readonly task: null;
}

export interface ComparisonNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly title: string;
  readonly titleSentence?: Sentence;
  readonly change: Change;
  readonly before: Pick<TreeNode, 'parameters' | 'byteLength' | 'dtype' | 'shape'> | null;
  readonly after: Pick<TreeNode, 'parameters' | 'byteLength' | 'dtype' | 'shape'> | null;
  /** Of the matrix, on the row of a linear or table and on its weight. */
  readonly error?: WeightError;
  readonly children?: readonly ComparisonNode[];
}

/** The answer of `compress`, and of its dry run. */
export interface CompressReport {
  readonly version: 1;
  /** As it was carried out: with every option filled in. */
  readonly recipe?: Recipe;
  /** The same with the units that were chosen as lists, where a measurement chose them: replays on a machine that would measure otherwise. */
  readonly exact?: Recipe;
  /** Path of the model file written, or that would be. */
  readonly out: string;
  readonly before: Sizes;
  readonly after: Sizes;
  readonly edits: readonly { readonly kind: string; readonly target: string; readonly before: string; readonly after: string }[];
  readonly skipped: readonly { readonly target: string; readonly reason: string; readonly sentence: Sentence }[];
  /** What a default became, how good a fit can be. */
  readonly notes?: readonly { readonly note: string; readonly sentence: Sentence }[];
  readonly seconds: number;
  readonly peakBytes: number;
}
