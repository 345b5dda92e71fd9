import type { Model } from '../../model/model.ts';

/**
 * How one family names its modules. What the families share (prefixes, heads, buffers, packed weights) is read by names.ts. Modules that
 * a family has beside BERT's keep their own names below `embeddings.`, `encoder.` and `encoder.layer.N.`, and become extra organs there.
 * Two names stand for matrices in one: `attention.self.query_key_value` (query, key and value, one behind the other) and
 * `intermediate.up_gate` or `intermediate.gate_up` (two halves, in that order).
 */
export interface Family {
  /** config.json's model_type. */
  readonly id: string;
  /** Other model_types with the same names and structure. */
  readonly alike: readonly string[];
  /** The attribute the encoder has in a model with a head: "bert." */
  readonly base: string;
  /** The weight of the first layer's query; what stands before the match is the prefix of the whole encoder. */
  readonly query: RegExp;
  /** Path below the prefix ("encoder.layer.3.attention.self.query") -> path in BERT's words, undefined when it is none of this family's. */
  organ(path: string, config: Model['config']): string | undefined;
  /** Does the checkpoint look like this family, when config.json does not say? `paths` are without the prefix. */
  tells(paths: ReadonlySet<string>, tensors: Model['tensors']): boolean;
  /** Path of the projection from embeddings to hidden states, in families that have one. */
  readonly projection?: string;
  /** Path of the masked-language head's decoder. */
  readonly decoder: string;
  /** What stands before the classifier in families whose classifiers do not read a pooler. */
  readonly unpooled?: string;
  /** Modules on top of the encoder beside those of most families. */
  readonly head?: RegExp;
  /** Numbers of each head, where config.json says it in the family's own way; hidden_size / num_attention_heads otherwise. */
  headWidth?(config: Model['config']): number | undefined;
  /** Query, key and value lie one behind the other within each head of the fused matrix, not each as a third of it. */
  readonly fusedByHead?: true;
  /** Which stored layer each executed layer uses; each its own when absent. */
  runs?(stored: number, config: Model['config']): readonly number[];
}

/** A whole number in a config, or undefined. */
export function count(config: Model['config'], ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = config[key];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  }
  return undefined;
}

/** The path of a layer's module in BERT's words: by the table, or its own name where the table does not know it. `layer` matches what stands before it, with the layer's number. */
export function layerOrgan(path: string, layer: RegExp, organs: Readonly<Record<string, string>>): string | undefined {
  const match = path.match(layer);
  if (!match) return undefined;
  const organ = path.slice(match[0].length);
  return `encoder.layer.${match[1]}.${Object.hasOwn(organs, organ) ? organs[organ] : organ}`;
}
