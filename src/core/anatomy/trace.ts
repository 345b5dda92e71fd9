import type { Model } from '../model/model.ts';
import type { Layer } from './anatomy.ts';
import { type Block, blockAround, type Miss, normBehind } from './block.ts';
import { decoderCopies, layerCopies } from './copies.ts';
import type { Draft } from './draft.ts';
import { embeddingsBefore } from './embeddings.ts';
import { familyOf } from './families/registry.ts';
import { type Flow, flowOf } from './flow.ts';
import { guessFamily } from './guess.ts';
import { headWidth } from './heads.ts';
import { embeddingIds, layerIds } from './ids.ts';
import { headsOf } from './names.ts';
import type { FoundNorm } from './norm.ts';
import { linearOf, normOf } from './organ.ts';
import type { Product } from './product.ts';
import { sharedLayers } from './shared.ts';
import { taskOf } from './tasks.ts';
import { topAbove } from './top.ts';
import { wire } from './wiring.ts';

export interface Traced {
  readonly flow: Flow;
  /** undefined when the graph holds no BERT layers; `misses` says what stands around its attention instead. */
  readonly draft: Draft | undefined;
  readonly misses: readonly Miss[];
}

/** The anatomy of a graph from its structure: names, where any are left, only tell apart what the structure does not. */
export async function trace(model: Model, signal?: AbortSignal): Promise<Traced> {
  const flow = flowOf(wire(model.graph!, model.tensors));
  const found = flow.attentions.map(node => blockAround(flow, node));
  const misses = found.filter((each): each is Miss => typeof each === 'string');
  const blocks = chain(found.filter((each): each is Block => typeof each !== 'string'));
  const draft = blocks.length > 0 ? await draftOf(model, flow, blocks, signal) : undefined;
  return { flow, draft, misses };
}

/** The longest run of layers that read each other; a second encoder in the same graph is left to nobody. */
function chain(blocks: readonly Block[]): Block[] {
  const reads = new Map(blocks.map(block => [block.source, block]));
  const ends = new Set(blocks.map(block => block.fed));
  let longest: Block[] = [];
  for (const first of blocks) {
    if (ends.has(first.source)) continue;
    const run: Block[] = [];
    for (let block: Block | undefined = first; block && run.length <= blocks.length; block = reads.get(block.fed))
      run.push(block);
    if (run.length > longest.length) longest = run;
  }
  return longest;
}

async function draftOf(model: Model, flow: Flow, blocks: readonly Block[], signal?: AbortSignal): Promise<Draft> {
  const [first, last] = [blocks[0]!, blocks.at(-1)!];
  const stored = await sharedLayers(blocks, signal);
  const embeddings = embeddingsBefore(flow, first.source, first.query.reads[0]!);
  const { tables, norm, projection } = embeddings;
  const family = familyOf(model.config.model_type) ?? guessFamily(model, embeddings, stored);
  const layers: Layer[] = [];
  const sharing = groupsOf(blocks, stored);
  for (const [index, block] of blocks.entries()) {
    const same = stored[index] === index ? sharing.get(index)! : [block];
    layers.push(await layerOf(model, flow, same, { index, stored: stored[index]! }, signal));
  }
  const top = topAbove(flow, last.fed, { family, word: tables[0], claimed: tensorsOf(layers, norm) });
  const stated = model.config.model_type;
  return {
    family: typeof stated === 'string' ? stated : family.id,
    task: taskOf(
      model,
      top.map(organ => organ.id),
    ),
    layers,
    tables,
    embeddingNorm: normOf(embeddingIds.norm, norm),
    ...(projection && { embeddingProjection: linearOf(family.projection ?? 'embeddings_project', [projection]) }),
    top,
    copies: new Map([...layerCopies(layers), ...(await decoderCopies(top, tables[0], signal))]),
  };
}

/** Blocks by the first that holds their numbers. */
function groupsOf(blocks: readonly Block[], stored: readonly number[]): Map<number, Block[]> {
  const groups = new Map<number, Block[]>();
  for (const [index, block] of blocks.entries()) {
    const group = groups.get(stored[index]!);
    if (group) group.push(block);
    else groups.set(stored[index]!, [block]);
  }
  return groups;
}

/** The layer of the first block; the others multiply by the same numbers. */
async function layerOf(
  model: Model,
  flow: Flow,
  blocks: readonly Block[],
  { index, stored }: Pick<Layer, 'index' | 'stored'>,
  signal?: AbortSignal,
): Promise<Layer> {
  const block = blocks[0]!;
  const ids = layerIds(index);
  const linear = (key: 'query' | 'key' | 'value' | 'output' | 'up' | 'down') =>
    linearOf(ids[key], blocks.map(each => each[key].product!) as [Product, ...Product[]]);
  const query = linear('query');
  const width = block.heads ? query.out / block.heads : await headWidth(flow.wiring, block.splits, query.out, signal);
  return {
    index,
    stored,
    ...(width ? { heads: query.out / width, headDim: width } : headsOf(model, query)),
    query,
    key: linear('key'),
    value: linear('value'),
    output: linear('output'),
    attentionNorm: normOf(ids.attentionNorm, block.attentionNorm),
    up: linear('up'),
    down: linear('down'),
    outputNorm: normOf(ids.outputNorm, normBehind(flow, block.fed)),
  };
}

/** Names of the tensors that layers and embeddings own beside their matrices: what a norm on top must not claim again. */
function tensorsOf(layers: readonly Layer[], embeddingNorm: FoundNorm | undefined): Set<string> {
  const norms = [...layers.flatMap(layer => [layer.attentionNorm, layer.outputNorm]), embeddingNorm ?? {}];
  return new Set(norms.flatMap(norm => [norm.weight?.name, norm.bias?.name]).filter(name => name !== undefined));
}
