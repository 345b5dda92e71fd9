import type { Sentence } from '../errors.ts';

/** What a model is asked, and what the answers should be. */
export interface Task {
  /** 'stsb', 'sst2', 'text', or the name of the JSON file that describes it. */
  readonly name: string;
  /** The file with the texts, without its folder. */
  readonly file: string;
  /** 'similarity': the cosine of two texts' vectors against a score. 'classification': the largest logit against a label. 'text': drift only. */
  readonly kind: 'similarity' | 'classification' | 'text';
  readonly samples: readonly Sample[];
  /** Ids of metrics/registry.ts. */
  readonly metrics: readonly string[];
  readonly pooling: Pooling;
  /** Tokens, special ones included; the model's own limit holds too. */
  readonly maxLength?: number;
  readonly notes: readonly Sentence[];
}

/** How token vectors become the vector of a text. */
export type Pooling = 'mean' | 'cls';

export interface Sample {
  readonly text: string;
  /** The second text: of a similarity, or one that a classifier reads together with the first. */
  readonly pair?: string;
  /** What the file says: a number, or a class by number or name. */
  readonly expected?: string;
  /** Of the file, from 1. */
  readonly line: number;
}
