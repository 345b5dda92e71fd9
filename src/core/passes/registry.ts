import { factorize } from './factorize.ts';
import { factorizeEmbeddings } from './factorize-embeddings.ts';
import type { Pass } from './pass.ts';
import { pruneHeads } from './prune-heads.ts';
import { pruneHidden } from './prune-hidden.ts';
import { pruneLayers } from './prune-layers.ts';
import { pruneNeurons } from './prune-neurons.ts';
import { pruneToBudget } from './prune-to-budget.ts';
import { pruneVocabulary } from './prune-vocabulary.ts';
import { pruneWeights } from './prune-weights.ts';
import { quantize } from './quantize.ts';
import { shareLayers } from './share-layers.ts';

/** Every pass, in the order in which a form offers them. A pass is a file and a line here. */
export const passes: readonly Pass[] = [
  quantize,
  pruneHeads,
  pruneNeurons,
  pruneToBudget,
  pruneLayers,
  pruneHidden,
  pruneVocabulary,
  pruneWeights,
  factorize,
  factorizeEmbeddings,
  shareLayers,
].map(pass => pass as unknown as Pass);
