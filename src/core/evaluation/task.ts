import type { Sentence } from '../errors.ts';

/** What a model is asked, and what the answers should be. */
export interface Task {
  /** 'stsb', 'sst2', 'text', …, or the name of the JSON file that describes it. */
  readonly name: string;
  /** The file with the texts, without its folder. */
  readonly file: string;
  readonly kind: TaskKind;
  readonly samples: readonly Sample[];
  /** Ids of metrics/registry.ts. */
  readonly metrics: readonly string[];
  readonly pooling: Pooling;
  /** Tokens, special ones included; the model's own limit holds too. */
  readonly maxLength?: number;
  readonly notes: readonly Sentence[];
}

/**
 * similarity: the cosine of two texts' vectors against a score. classification: the largest logit against a label.
 * question-answering: a span of a text. token-classification: a tag for each word. masked-language: how likely each token is where
 * it is masked. text: drift only.
 */
export type TaskKind =
  | 'similarity'
  | 'classification'
  | 'question-answering'
  | 'token-classification'
  | 'masked-language'
  | 'text';

/** How token vectors become the vector of a text. */
export type Pooling = 'mean' | 'cls';

export interface Sample {
  /** Of question answering: the question. */
  readonly text: string;
  /** The second text: of a similarity, one that a classifier reads together with the first, or the text an answer is in. */
  readonly pair?: string;
  /** What the file says: a number, or a class by number or name. */
  readonly expected?: string;
  /** Any of these is right; [] when the text has no answer. */
  readonly answers?: readonly string[];
  /** Words that are tagged, and their tags; `text` is the words with spaces between. */
  readonly words?: readonly string[];
  readonly tags?: readonly string[];
  /** Of the file, from 1. */
  readonly line: number;
}
