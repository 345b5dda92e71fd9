import type { Sentence } from '../errors.ts';
import type { Step } from '../passes/pass.ts';

// What each part of a model costs when it alone is compressed. Plain data, as tree.ts.

/** How a model is cut into parts: whole layers, one kind of matrix in all layers, or each matrix by itself. */
export type PartsBy = 'layers' | 'organs' | 'matrices';

export interface SensitivityRow {
  /** Of a layer or a matrix its organ's id: "encoder.layer.3"; of a kind of matrix "encoder.layer.*.attention.self.query". */
  readonly id: string;
  /** English: "Layer 3, Query"; a view makes its own of layer and organ. */
  readonly title: string;
  /** Absent outside layers and where the part goes through all of them. */
  readonly layer?: number;
  /** "layer" for a whole one; within layers the end of the id, "attention.self.query"; "embeddings", "pooler", "head", "other". */
  readonly organ: string;
  /** What names this part and nothing else in a pass's `include` and `exclude`. */
  readonly globs: readonly string[];
  readonly parameters: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** 1 - cosine of the sentence vectors to those of the model as it was, mean over texts, 0 to 2; null where `skipped` says why. */
  readonly drift: number | null;
  /** Why the step leaves it alone, or why its drift cannot be told. */
  readonly skipped?: { readonly reason: string; readonly sentence: Sentence };
}

/** The answer of `sensitivity`. */
export interface Sensitivity {
  readonly version: 1;
  /** With every option filled in. */
  readonly step: Step;
  readonly parts: PartsBy;
  /** Sentences that the model ran on. */
  readonly texts: number;
  /** In the order of the model. */
  readonly rows: readonly SensitivityRow[];
  /** The step as it is, on the whole model. */
  readonly all: { readonly drift: number; readonly bytesBefore: number; readonly bytesAfter: number };
  /** What a person must know to read it. */
  readonly notes: readonly Sentence[];
  readonly seconds: number;
}
