import { fail } from '../../errors.ts';
import { taskOfTexts } from '../read-task.ts';
import type { AttentionMaps } from '../report.ts';
import type { Runtime, Values } from '../runtime.ts';
import { prepare, type Subject, tokenizersOf } from '../subject.ts';
import type { AttentionSource } from './attention-source.ts';
import { runTexts } from './run-states.ts';
import { softmaxOfProducts } from './softmax-of-products.ts';

// T tokens

/**
 * What every head of a layer looks at in one text. `subject` is that of a model that attentionSource has made.
 * throws 'unsupported' where the probabilities do not have a row and a column for each token
 */
export async function attentionMaps(
  subject: Subject,
  source: AttentionSource,
  { text, layer }: { readonly text: string; readonly layer: number },
  runtime: Runtime,
  threads: number,
): Promise<AttentionMaps> {
  const [tokenizer] = await tokenizersOf([subject]);
  const prepared = await prepare(subject, tokenizer!, [{ text }], taskOfTexts([text]), runtime, threads);
  try {
    const { runner, inputs, encodings } = prepared;
    const { ids } = encodings[0]!;
    const wanted = source.kind === 'probabilities' ? [source.value] : [source.query, source.key, source.bias, source.mask];
    const results = await runTexts(
      prepared,
      [0],
      wanted.filter(value => value !== undefined),
    );
    const maps =
      source.kind === 'probabilities'
        ? cutOut(results.get(source.value)!, ids.length, inputs.fixedBatch ?? 1)
        : softmaxOfProducts(results, source, ids.length);
    if (!maps)
      throw fail(
        'unsupported',
        'The attention of layer {layer} has no row and column for each token: its shape is {shape}.',
        { layer, shape: shapeOf(results, wanted[0]!) },
        { file: runner.name },
      );
    return {
      layer,
      tokens: ids.map(id => tokenizer!.token(id)),
      heads: maps.map((weights_TT, head) => ({ head, weights_TT: normalized(weights_TT, ids.length) })),
    };
  } finally {
    await prepared.runner.close();
  }
}

const shapeOf = (results: ReadonlyMap<string, Values>, value: string): string => `[${results.get(value)!.shape.join(', ')}]`;

/** Of the first text: [heads, L, L] with L tokens or more, those of padding last. undefined for other shapes. */
function cutOut({ data, shape }: Values, tokens: number, batch: number): number[][] | undefined {
  const length = shape.at(-1)!;
  const heads = data.length / (batch * length * length);
  if (shape.at(-2) !== length || length < tokens || !Number.isInteger(heads)) return undefined;
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: tokens * tokens }, (_, place) => {
      const [row, column] = [Math.floor(place / tokens), place % tokens];
      return data[(head * length + row) * length + column]!;
    }),
  );
}

/** Rows of fp16, and rows cut off before the padding, sum to nearly 1. */
function normalized(weights_TT: readonly number[], tokens: number): number[] {
  const sums = Array.from({ length: tokens }, (_, t) =>
    weights_TT.slice(t * tokens, (t + 1) * tokens).reduce((sum, weight) => sum + weight, 0),
  );
  return weights_TT.map((weight, place) => weight / (sums[Math.floor(place / tokens)]! || 1));
}
