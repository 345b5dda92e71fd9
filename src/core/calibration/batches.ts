import { fail } from '../errors.ts';
import { feeds } from '../evaluation/inputs.ts';
import type { Feed } from '../evaluation/runtime.ts';
import { equalLengths } from './equal-lengths.ts';
import type { CalibrationSource } from './source.ts';

/** Texts of one length, as the model's own inputs. */
export interface TextBatch {
  /** Of the texts, in the order of the file. */
  readonly places: readonly number[];
  /** Tokens of each. */
  readonly length: number;
  readonly feeds: ReadonlyMap<string, Feed>;
}

/** Rows of an activation that are in memory at a time: 2,048 of 3,072 numbers are 25 MB. */
const maxTokens = 2048;

export function textBatches<E>(
  { encodings, inputs, pad, firstPosition, name }: CalibrationSource<E>,
  texts = encodings.length,
  first = 0,
): TextBatch[] {
  const used = encodings.slice(first, first + texts);
  const lengths = used.map(({ ids }) => ids.length);
  const { fixedBatch, fixedLength } = inputs;
  if (fixedBatch !== undefined || fixedLength !== undefined)
    throw fail(
      'unsupported',
      'This model takes inputs of a fixed shape only ({batch} x {length}). Passes that look at activations need one that takes any.',
      { batch: fixedBatch ?? '?', length: fixedLength ?? '?' },
      { file: name },
    );
  return equalLengths(lengths, maxTokens).map(places => ({
    places,
    length: lengths[places[0]!]!,
    feeds: feeds(
      inputs,
      places.map(place => used[place]!),
      pad,
      firstPosition,
    ).feeds,
  }));
}
