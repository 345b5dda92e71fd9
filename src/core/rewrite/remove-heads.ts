import type { Anatomy, Layer } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';
import type { RemoveHeadsEdit } from '../passes/pass.ts';
import { cannot, headsKept, sharing } from '../passes/prune/prunable.ts';
import type { Body } from './apply.ts';
import { Cuts } from './cuts.ts';
import type { GraphModel } from './draft.ts';
import { fewerHeadsInGraph } from './heads-in-graph.ts';
import { keptRuns } from './take.ts';
import { withTensors } from './with-tensors.ts';

/** A layer as it is, and how many heads it keeps. */
export interface FewerHeads {
  readonly layer: Layer;
  readonly kept: number;
}

/**
 * Attention with fewer heads: rows of query, key and value with their biases, columns of the output projection. A graph that splits
 * into heads by numbers gets those of each layer; config.json says which heads went, as transformers 4 reads it (`pruned_heads`).
 */
export async function removeHeads({ model, anatomy }: Body, edits: readonly RemoveHeadsEdit[]): Promise<Model> {
  const cuts = new Cuts();
  const fewer: FewerHeads[] = [];
  for (const { layer: index, heads, output } of edits) {
    // Layers that share are cut where their tensors are first; copies follow.
    const layer = anatomy.layers[anatomy.layers[index]?.stored ?? index];
    if (!layer) throw new RangeError(`there is no layer ${index}`);
    const reason = headsKept(anatomy, layer);
    if (reason) throw cannot(model, reason);
    const columns = heads.flatMap(head => Array.from({ length: layer.headDim }, (_, i) => head * layer.headDim + i));
    for (const linear of [layer.query, layer.key, layer.value]) cuts.outputs(linear, columns);
    cuts.inputs(layer.output, keptRuns(layer.heads, heads, layer.headDim), output);
    for (const each of sharing(anatomy, layer)) fewer.push({ layer: each, kept: layer.heads - heads.length });
  }
  const cut = withTensors(model, cuts.finish(anatomy));
  const graph = hasGraph(cut) ? await fewerHeadsInGraph(cut, anatomy, fewer) : cut;
  return { ...graph, config: withPruned(model, anatomy, edits) };
}

const hasGraph = (model: Model): model is GraphModel => model.graph !== undefined;

/** Heads are named as the unpruned model had them: those gone before are counted in. */
function withPruned({ config }: Model, { layers }: Anatomy, edits: readonly RemoveHeadsEdit[]): Model['config'] {
  const stated = ['num_attention_heads', 'n_heads'].find(key => typeof config[key] === 'number');
  if (stated === undefined) return config;
  const before = (config.pruned_heads ?? {}) as Readonly<Record<string, readonly number[]>>;
  const pruned: Record<string, readonly number[]> = { ...before };
  for (const { layer, heads } of edits) {
    const gone = new Set(before[layer] ?? []);
    const names = Array.from({ length: layers[layer]!.heads + gone.size }, (_, head) => head).filter(head => !gone.has(head));
    pruned[layer] = [...gone, ...heads.map(head => names[head]!)].sort((a, b) => a - b);
  }
  return { ...config, pruned_heads: pruned };
}
