import { layerIds } from '../../anatomy/ids.ts';
import { throwIfCancelled } from '../../errors.ts';
import { batches } from '../batches.ts';
import { textsOf } from '../evaluate.ts';
import { allFinite } from '../outputs.ts';
import type { NonFinite } from '../report.ts';
import type { Runtime, Values } from '../runtime.ts';
import { prepare, tokenizersOf } from '../subject.ts';
import type { Task } from '../task.ts';
import type { ProbeOptions } from './layer-drift.ts';
import type { Probe } from './probe.ts';
import { runTexts } from './run-states.ts';

/** A value of the graph, and the organ that makes it. */
export interface Place {
  readonly id: string;
  readonly value: string;
}

/** Every value of a model that can be looked at, in the order in which it is made. */
export function places({ taps, anatomy }: Pick<Probe, 'taps' | 'anatomy'>): Place[] {
  const found: { id: string; value: string | undefined }[] = [];
  const linear = (id: string | undefined) => {
    if (id !== undefined) found.push({ id, value: taps.linearOutput.get(id) });
  };
  linear(anatomy.embeddingProjection?.id);
  found.push({ id: 'embeddings', value: taps.embeddings });
  for (const [index, layer] of anatomy.layers.entries()) {
    const at = taps.layers[index];
    const ids = layerIds(index);
    for (const { id, within } of [layer.query, layer.key, layer.value]) linear(within?.id ?? id);
    found.push({ id: `${ids.layer}.attention.self`, value: at?.attentionProbabilities });
    found.push({ id: `${ids.layer}.attention.self`, value: at?.context });
    linear(layer.output.id);
    found.push({ id: ids.attentionNorm, value: at?.attentionNormOut });
    for (const each of [layer.up, layer.gate]) linear(each?.within?.id ?? each?.id);
    found.push({ id: `${ids.layer}.intermediate`, value: taps.linearInput.get(layer.down.id) });
    linear(layer.down.id);
    found.push({ id: ids.outputNorm, value: at?.output });
  }
  for (const organ of anatomy.top) linear(organ.linear?.id);
  const seen = new Set<string>();
  return found.filter((place): place is Place => place.value !== undefined && !seen.has(place.value) && !!seen.add(place.value));
}

/**
 * The first text whose outputs hold NaN or infinity, and the first place of the model where they appear. null where no text's do.
 * `model` has all of `places` as outputs.
 */
export async function firstNonFinite(
  model: Probe,
  task: Task,
  runtime: Runtime,
  options: ProbeOptions,
): Promise<NonFinite | null> {
  const texts = textsOf(task);
  const [tokenizer] = await tokenizersOf([model.subject]);
  const prepared = await prepare(model.subject, tokenizer!, texts, task, runtime, options.threads);
  try {
    const run = (places: readonly number[], wanted: readonly string[]) => runTexts(prepared, places, wanted);
    const size = Math.min(options.batch, prepared.inputs.fixedBatch ?? options.batch);
    const lengths = prepared.encodings.map(({ ids }) => ids.length);
    for (const batch of batches(lengths, size)) {
      throwIfCancelled(options.signal);
      if (allAreFinite(await run(batch, model.outputs))) continue;
      for (const at of batch) {
        // Alone, so that what belongs to padding, or to another text, is not taken for this one's.
        if (allAreFinite(await run([at], model.outputs))) continue;
        const inside = await run(
          [at],
          places(model).map(({ value }) => value),
        );
        const first = places(model).find(({ value }) => !allFinite(inside.get(value)!.data));
        const output = { id: model.outputs[0]!, value: model.outputs[0]! };
        return { ...(first ?? output), text: texts[at]!.text };
      }
    }
    return null;
  } finally {
    await prepared.runner.close();
  }
}

const allAreFinite = (results: ReadonlyMap<string, Values>): boolean =>
  [...results.values()].every(({ data }) => allFinite(data));
