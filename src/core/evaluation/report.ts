import type { Sentence } from '../errors.ts';

// Plain data only: it goes to the pages and to --json.

/** Outputs of the model against those of `against`. Shares and cosines are 0 to 1. */
export interface Drift {
  /** Of the vectors of the texts. null where the two models' vectors have different widths. */
  readonly cosineMean: number | null;
  readonly cosineMin: number | null;
  /** Over every number of the outputs that belongs to a real token. */
  readonly maxAbs: number | null;
  /** Share of predictions that are the same; null for models that predict nothing. */
  readonly agreement: number | null;
  /** Nats, mean over predictions. */
  readonly kl: number | null;
  /** Texts compared. */
  readonly count: number;
}

/** In points of 100; a perplexity as it is. null where it is undefined. */
export interface MetricValue {
  readonly name: string;
  readonly value: number | null;
  /** Samples it was measured on. */
  readonly count: number;
}

export interface Latency {
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly threads: number;
  readonly batch: number;
  /** Tokens of each text. */
  readonly length: number;
  readonly runs: number;
}

/** What was measured of one model. */
export interface Measured {
  readonly file: string;
  readonly metrics: readonly MetricValue[];
  readonly latency: Latency;
  readonly loadMs: number;
  readonly fileBytes: number;
  /** How far the process grew at most by loading and running this model. */
  readonly memoryBytes?: number;
  /** Of the run that `latency` times, counted from the graph's own products; null where that cannot be told without running. */
  readonly multiplyAdds?: number | null;
  /** Texts cut to the model's length. */
  readonly cut: number;
  /** Texts whose outputs hold NaN or infinity. */
  readonly nonFinite: number;
  readonly tokenizer: 'tokenizer.json' | 'vocab.txt' | 'seed';
}

/** A text whose outputs moved far. */
export interface MovedText {
  readonly text: string;
  readonly cosine: number | null;
  /** Predicted classes; null for models that predict none for the whole text. */
  readonly before: number | null;
  readonly after: number | null;
}

/** How far what leaves a layer lies from what leaves the same layer of the other model. Of real tokens only. */
export interface LayerDrift {
  /** An organ of the model: 'embeddings', 'encoder.layer.3'. */
  readonly id: string;
  /** The organ of the other model it is held against: another number where layers were removed. */
  readonly against: string;
  /** 'cosine' of token vectors; 'cka' (linear centred kernel alignment, Kornblith 2019) where the widths differ. */
  readonly measure: 'cosine' | 'cka';
  /** 0 to 1. null where it is undefined. */
  readonly mean: number | null;
  /** The text that moved most. */
  readonly min: number | null;
  /** Texts. */
  readonly count: number;
}

/** The first place of a model whose numbers are no longer finite. */
export interface NonFinite {
  /** An organ: 'encoder.layer.3.attention.output'. */
  readonly id: string;
  /** The value in the graph. */
  readonly value: string;
  readonly text: string;
}

/** What the heads of one layer look at, for one text. */
export interface AttentionMaps {
  readonly layer: number;
  /** Tokens as the tokenizer writes them, special ones included. */
  readonly tokens: readonly string[];
  /** Row-major [token that looks, token that is looked at], each row sums to 1; `head` is the number in that model. */
  readonly heads: readonly { readonly head: number; readonly weights_TT: readonly number[] }[];
}

/** The answer of `evaluate`. */
export interface Evaluation extends Measured {
  readonly version: 1;
  readonly task: string;
  readonly drift: Drift | null;
  /** The most the process held, with both models where there are two. */
  readonly peakBytes: number;
  readonly threads: number;
  readonly batch: number;
  readonly runtime: string;
  readonly seconds: number;
  readonly against: Measured | null;
  /** The ones that moved most, worst first; [] without `against`. */
  readonly worst: readonly MovedText[];
  /** From the embeddings up; only where it was asked for, with `against`. */
  readonly layers?: readonly LayerDrift[];
  /** Of the model; only where its outputs hold NaN or infinity. */
  readonly firstNonFinite?: NonFinite | null;
  readonly notes: readonly Sentence[];
}
