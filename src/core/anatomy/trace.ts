import type { Model } from '../model/model.ts';
import type { ExtraOrgan, Layer } from './anatomy.ts';
import { apartFromData } from './apart.ts';
import { type Block, blockAround, type Miss } from './block.ts';
import { decoderCopies, layerCopies } from './copies.ts';
import type { Draft } from './draft.ts';
import { type Embeddings, embeddingsBefore } from './embeddings.ts';
import { sharedOrgans } from './encoder-organs.ts';
import { withFactors } from './factored.ts';
import type { Family } from './families/family.ts';
import { familyOf } from './families/registry.ts';
import { readers } from './feed-forward.ts';
import { type Anchor, type Flow, flowOf } from './flow.ts';
import { guessFamily } from './guess.ts';
import { embeddingIds, wideningId } from './ids.ts';
import { inlined } from './inlined.ts';
import { layerOf } from './layer.ts';
import { openMasks } from './mask.ts';
import { type FoundNorm, normBehind } from './norm.ts';
import { linearOf, normOf } from './organ.ts';
import type { Product } from './product.ts';
import { reshapedMatrices } from './reshaped.ts';
import { sharedLayers } from './shared.ts';
import { readsSignal } from './signal.ts';
import { taskOf } from './tasks.ts';
import { together } from './together.ts';
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
  const { graph, tensors } = inlined(model.graph!, model.tensors);
  const open = await openMasks(tensors, signal);
  const reshaped = await reshapedMatrices(graph, tensors, signal);
  const flow = withFactors(flowOf({ ...wire(graph, tensors), open, reshaped }));
  const found = flow.attentions.map(node => blockAround(flow, node));
  const misses = found.filter((each): each is Miss => typeof each === 'string');
  if (misses.includes('cross-attention')) return { flow, draft: undefined, misses };
  const blocks = chain(found.filter((each): each is Block => typeof each !== 'string'));
  const draft = blocks.length > 0 ? await draftOf(model, flow, blocks, signal) : undefined;
  const looksUp = draft?.tables.some(table => table.nodes.length > 0) ?? false;
  const isText = draft && !readsSignal(flow, blocks[0]!.read, looksUp) && (looksUp || !blocks[0]!.isNormalizedBefore);
  if (draft && !isText) return { flow, draft: undefined, misses: [...misses, 'normalized-before'] };
  return { flow, draft, misses };
}

/** The longest run of layers that read each other; a second encoder in the same graph is left to nobody. */
export function chain(blocks: readonly Block[]): Block[] {
  const reads = new Map(blocks.map(block => [block.source, block]));
  const ends = new Set(blocks.map(block => nextOf(block, reads)?.source));
  let longest: Block[] = [];
  for (const first of blocks) {
    if (ends.has(first.source)) continue;
    const run: Block[] = [];
    for (let block: Block | undefined = first; block && run.length <= blocks.length; block = nextOf(block, reads))
      run.push(block);
    if (run.length > longest.length) longest = run;
  }
  return longest;
}

/** The layer that reads another one's data, or the sum of that and a convolution (DeBERTa v2). */
function nextOf({ fed }: Block, reads: ReadonlyMap<Anchor, Block>): Block | undefined {
  const next = reads.get(fed);
  if (next) return next;
  const sum = readers(fed).find(anchor => anchor.kind === 'join' && reads.has(anchor));
  return sum && reads.get(sum);
}

async function draftOf(model: Model, flow: Flow, blocks: readonly Block[], signal?: AbortSignal): Promise<Draft> {
  const [first, last] = [blocks[0]!, blocks.at(-1)!];
  const stored = await sharedLayers(blocks, signal);
  const embeddings = embeddingsBefore(flow, first.source, first.read);
  const { tables, norm, projection } = embeddings;
  const family = familyOf(model.config.model_type) ?? guessFamily(model, embeddings, stored, blocks);
  const sharing = groupsOf(blocks, stored);
  const layers = await together(blocks, (block, index) => {
    const same = (stored[index] === index ? sharing.get(index)! : [block]) as [Block, ...Block[]];
    return layerOf(model, flow, same, { index, stored: stored[index]! }, signal);
  });
  const finalNorm = last.isNormalizedBefore ? normBehind(flow, last.fed) : undefined;
  const widening = last.skip && readers(last.fed).find(({ kind }) => kind === 'product');
  const top = topAbove(flow, widening ?? last.fed, { family, word: tables[0], claimed: tensorsOf(layers, norm, finalNorm) });
  const encoderExtra = [...sharedOrgans(flow, blocks, finalNorm), ...(widening ? [wideningOrgan(widening.product!)] : [])];
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
    ...(projection && { embeddingProjection: linearOf(projectionId(family, embeddings), [projection]) }),
    ...(encoderExtra.length > 0 && { encoderExtra }),
    apart: apartFromData(flow),
    top,
    copies: new Map([...layerCopies(layers), ...(await decoderCopies(top, tables[0], signal))]),
  };
}

const wideningOrgan = (product: Product): ExtraOrgan => ({
  id: wideningId,
  part: 'layer',
  linear: linearOf(wideningId, [product]),
});

const projectionId = ({ projection }: Family, { projectsWords }: Embeddings): string =>
  projection ?? (projectsWords ? embeddingIds.transformation : 'embeddings_project');

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

/** Names of the tensors that layers and embeddings own beside their matrices: what a norm on top must not claim again. */
function tensorsOf(layers: readonly Layer[], ...others: readonly (FoundNorm | undefined)[]): Set<string> {
  const inLayers = layers.flatMap(({ attentionNorm, outputNorm, extra = [] }) => [
    attentionNorm,
    outputNorm,
    ...extra.flatMap(organ => organ.norm ?? []),
  ]);
  const norms = [...inLayers, ...others.flatMap(found => found ?? [])];
  return new Set(norms.flatMap(norm => [norm.weight?.name, norm.bias?.name]).filter(name => name !== undefined));
}
