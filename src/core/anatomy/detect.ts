import { type Sentence, sentence, throwIfCancelled } from '../errors.ts';
import type { Graph } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import type { Anatomy } from './anatomy.ts';
import type { Miss } from './block.ts';
import { finish } from './draft.ts';
import { callsFunctions } from './functions.ts';
import { readNames } from './names.ts';
import { looseLinears, takenFor } from './not-bert.ts';
import { trace } from './trace.ts';

/** Which tensor is which organ. Never fails on a model that is no BERT: it says what the model is taken for. */
export async function detect(model: Model, signal?: AbortSignal): Promise<Anatomy> {
  throwIfCancelled(signal);
  if (!model.graph) {
    const draft = await readNames(model, signal);
    return finish(model, draft ?? { ...nothing, family: 'unknown', notBert: takenFor(model, []) });
  }
  const { flow, draft, misses } = await trace(model, signal);
  if (draft) return finish(model, draft);
  const { graph } = flow.wiring;
  const notBert = ofGraph(model, graph, misses) ?? takenFor({ ...model, graph }, misses);
  return finish(model, { ...nothing, family: 'unknown', notBert, loose: looseLinears(flow) });
}

/** What only the structure of a graph says. */
function ofGraph({ config }: Model, graph: Graph, misses: readonly Miss[]): Sentence | undefined {
  if (misses.length === 0) return callsFunctions(graph);
  if (!misses.includes('cross-attention') || typeof config.model_type === 'string') return undefined;
  return sentence('Not a BERT: its graph holds an encoder and a decoder that reads it.');
}

const nothing = { task: 'unknown', layers: [], tables: [], top: [], copies: new Map<string, string>() };
