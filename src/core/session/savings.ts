import { HeadroomError, type Sentence, say, sentence, throwIfCancelled } from '../errors.ts';
import type { Pass } from '../passes/pass.ts';
import { passes } from '../passes/registry.ts';
import type { Saving } from '../report/redundancy.ts';
import { type CompressAnswer, compress } from './compress.ts';
import { openPath } from './open.ts';
import type { SessionOptions } from './types.ts';

/** What each pass would save, with each set of options that makes sense: exact, from its dry run. Most saved first; what does not apply is last. */
export async function savings(path: string, { signal, progress }: SessionOptions = {}): Promise<readonly Saving[]> {
  const out = await resultPath(path, signal);
  const tries = passes.flatMap(pass => suggestionsOf(pass).map(options => ({ pass, options })));
  const found: Saving[] = [];
  for (const [index, { pass, options }] of tries.entries()) {
    throwIfCancelled(signal);
    const tell = (done: number): void => progress?.({ fraction: (index + done) / tries.length, what: pass.id });
    tell(0);
    const recipe = { version: 1, steps: [{ pass: pass.id, options }] } as const;
    const row = { pass: pass.id, title: pass.title, options };
    found.push({
      ...row,
      ...(await outcome(() =>
        compress({ path, recipe, out, dryRun: true }, { signal, progress: ({ fraction = 0 }) => tell(fraction) }),
      )),
    });
  }
  return found.sort((a, b) => (b.savedBytes ?? Number.NEGATIVE_INFINITY) - (a.savedBytes ?? Number.NEGATIVE_INFINITY));
}

/** A name for a result that nobody writes: sizes can depend on how long it is. Beside the input, as the Compress form proposes it. */
async function resultPath(path: string, signal?: AbortSignal): Promise<string> {
  const opened = await openPath(path, signal);
  await opened.close();
  return `${opened.path.replace(/(\.safetensors)?\.[^./\\]*$/, '')}.result.${opened.model.format}`;
}

async function outcome(dryRun: () => Promise<CompressAnswer>): Promise<Pick<Saving, 'fileBytes' | 'savedBytes' | 'reason'>> {
  try {
    const { before, after, edits, skipped } = await dryRun();
    if (edits.length === 0) return { reason: commonest(skipped.map(it => it.sentence)) };
    return { fileBytes: after.fileBytes, savedBytes: before.fileBytes - after.fileBytes };
  } catch (error) {
    if (error instanceof HeadroomError && error.code !== 'cancelled') return { reason: error.sentence };
    throw error;
  }
}

function commonest(reasons: readonly Sentence[]): Sentence {
  const counts = new Map<string, { reason: Sentence; count: number }>();
  for (const reason of reasons) {
    const key = say(reason);
    counts.set(key, { reason, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const [most] = [...counts.values()].sort((a, b) => b.count - a.count);
  return most?.reason ?? sentence('It finds nothing to change here.');
}

/** Fields whose choices are different ways to compress, each worth a row. */
const ways = ['scheme', 'method', 'pattern'];

/** Options to try: the pass's own suggestions, else each choice of its first way, with embeddings compressed and without. */
export function suggestionsOf(pass: Pass): readonly Readonly<Record<string, unknown>>[] {
  if (pass.suggestions) return pass.suggestions;
  const way = Object.entries(pass.fields).find(([name, field]) => ways.includes(name) && field.kind === 'choice');
  const choices =
    way?.[1].kind === 'choice' ? way[1].choices.map(({ value }): Record<string, unknown> => ({ [way[0]]: value })) : [{}];
  const bits = pass.fields.embedding_bits;
  if (bits?.kind !== 'number') return choices;
  const [most, least] = [bits.default, bits.max];
  return choices.flatMap(choice => {
    const reads = bits.when?.scheme?.includes(String(choice.scheme)) ?? true;
    return reads ? [most, least].map(embedding_bits => ({ ...choice, embedding_bits })) : [choice];
  });
}
