/** A text, or a pair of texts, as a model reads it: special tokens included. */
export interface Encoding {
  readonly ids: readonly number[];
  /** Segment of each token: 0, or 1 for the second text. */
  readonly types: readonly number[];
  /** Of a text whose words are known: the place of each word's first token (words.ts). */
  readonly starts?: readonly number[];
}

export interface Tokenizer {
  /** Where it came from. 'seed': there was none, ids are drawn by chance. */
  readonly kind: 'tokenizer.json' | 'vocab.txt' | 'seed';
  /** The id that fills a batch up. */
  readonly pad: number;
  /** What stands for a token that is to be guessed, where there is such a one. */
  readonly mask?: number;
  /** The longest input tokenizer_config.json allows, where it says so. */
  readonly maxLength?: number;
  encode(text: string, pair?: string): Encoding;
  /** The same without special tokens: what cutting removes from. */
  content(text: string): readonly number[];
  /** As the tokenizer writes it: "##ing", "Ġthe"; "#17" for an id it does not have. */
  token(id: number): string;
}
