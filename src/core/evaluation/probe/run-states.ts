import { feeds } from '../inputs.ts';
import type { Values } from '../runtime.ts';
import type { Prepared } from '../subject.ts';

// T tokens, C width

/** Values of one kind for one text: [T, C], real tokens only. */
export interface TokenRows {
  readonly rows_TC: Float32Array;
  readonly tokens: number;
  readonly width: number;
}

/** What the model gives for these texts, run together: real tokens stand at the front of each row of `length`. */
export async function runTexts(
  { runner, inputs, encodings, tokenizer, firstPosition }: Prepared,
  places: readonly number[],
  wanted: readonly string[],
): Promise<ReadonlyMap<string, Values>> {
  const rows = places.map(place => encodings[place]!);
  return runner.run(feeds(inputs, rows, tokenizer.pad, firstPosition).feeds, [...new Set(wanted)]);
}

/** Runs texts together and gives, for each text, these values of its tokens. Values are [B, T, C] or [B * T, C]. */
export async function runStates(
  prepared: Prepared,
  places: readonly number[],
  values: readonly string[],
): Promise<TokenRows[][]> {
  const results = await runTexts(prepared, places, values);
  const lengths = places.map(place => prepared.encodings[place]!.ids.length);
  const length = prepared.inputs.fixedLength ?? Math.max(1, ...lengths);
  return lengths.map((tokens, b) =>
    values.map(value => {
      const { data, shape } = results.get(value)!;
      const width = shape.at(-1)!;
      const start = b * length * width;
      return { rows_TC: data.subarray(start, start + tokens * width), tokens, width };
    }),
  );
}
