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
      const [, second = 0, third] = shape;
      // SqueezeBERT's convolutions keep tokens last: [B, C, T].
      const isTurned = third === length && second !== length;
      const width = isTurned ? second : shape.at(-1)!;
      const ofText = data.subarray(b * length * width, (b + 1) * length * width);
      const rows_TC = isTurned ? turned(ofText, width, length) : ofText;
      return { rows_TC: rows_TC.subarray(0, tokens * width), tokens, width };
    }),
  );
}

function turned(values_CT: Float32Array, width: number, length: number): Float32Array {
  const rows_TC = new Float32Array(values_CT.length);
  for (let c = 0; c < width; c++) for (let t = 0; t < length; t++) rows_TC[t * width + c] = values_CT[c * length + t]!;
  return rows_TC;
}
