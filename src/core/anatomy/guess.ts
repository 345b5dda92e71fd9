import type { Model } from '../model/model.ts';
import type { Block } from './block.ts';
import type { Embeddings } from './embeddings.ts';
import { bert } from './families/bert.ts';
import type { Family } from './families/family.ts';
import { familyOf } from './families/registry.ts';

/** The family of a graph that has no config.json beside it: from structure first, from names where the structure allows several. */
export function guessFamily(model: Model, embeddings: Embeddings, stored: readonly number[], blocks: readonly Block[]): Family {
  const id = byLayers(model, embeddings, blocks) ?? byEmbeddings(model, embeddings, stored, blocks[0]!);
  return familyOf(id) ?? bert;
}

/** What layers have that BERT's have not. */
function byLayers(
  model: Model,
  { tables, countsPositions, neighbours }: Embeddings,
  blocks: readonly Block[],
): string | undefined {
  const block = blocks.at(-1)!;
  const positions = tables.some(table => table.id.endsWith('position_embeddings'));
  if (block.beside && block.beside.kernels.size > 0) return 'convbert';
  if (block.bottleneck || neighbours) return 'mobilebert';
  if (block.disentangled) return block.packed ? 'deberta' : 'deberta-v2';
  if (block.relative.length > 0) return 'mpnet';
  if (block.turning.length > 0) return 'roformer';
  if (block.query.product!.form === 'convolution') return 'squeezebert';
  if (block.gate && !positions) {
    if (!block.isNormalizedBefore) return 'nomic_bert';
    return block.outputNorm?.isRootMeanSquare ? 'eurobert' : 'modernbert';
  }
  if (!block.isNormalizedBefore) return undefined;
  if (named(model, /(^|[./])esm[./]|contact_head|emb_layer_norm_after/)) return 'esm';
  if (countsPositions) return 'roberta-prelayernorm';
  return named(model, /attention[./]ln[./]/) ? 'megatron-bert' : undefined;
}

function byEmbeddings(
  model: Model,
  { projection, projectsWords, countsPositions, tables }: Embeddings,
  stored: readonly number[],
  block: Block,
): string {
  const says = (pattern: RegExp) => named(model, pattern);
  if (stored.length > 1 && stored.every(layer => layer === 0) && !block.packed) return 'albert';
  if (projection && !projectsWords) {
    if (says(/rembert|embedding_hidden_mapping_in$/)) return 'rembert';
    return says(/albert|embedding_hidden_mapping/) ? 'albert' : 'electra';
  }
  if (says(/camembert/)) return 'camembert';
  if (says(/xlm_?roberta/)) return 'xlm-roberta';
  if (says(/[xyhw]_position_embeddings/)) return 'layoutlm';
  if (countsPositions) return 'roberta';
  const types = tables.find(table => table.id.endsWith('token_type_embeddings'));
  if (!types && says(/distilbert|transformer[./]layer|[qkv]_lin/)) return 'distilbert';
  if (types?.rows === 1 || says(/(^|[./_])roberta[./]|lm_head/)) return 'roberta';
  if (says(/(^|[./])electra[./]|discriminator_predictions/)) return 'electra';
  if (says(/(^|[./])ernie[./]|task_type_embeddings/)) return 'ernie';
  if (!types && !block.packed && !block.isNormalizedBefore && !says(/pooler|(^|[./])bert[./]|attention[./]self/))
    return 'distilbert';
  return 'bert';
}

/** Does any name in the file say it? Tensors, then nodes, until one does. */
function named({ tensors, graph }: Model, pattern: RegExp): boolean {
  for (const name of tensors.keys()) if (pattern.test(name)) return true;
  return graph?.nodes.some(node => pattern.test(node.name)) ?? false;
}
