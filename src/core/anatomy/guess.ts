import type { Model } from '../model/model.ts';
import type { Embeddings } from './embeddings.ts';
import { albert } from './families/albert.ts';
import { bert } from './families/bert.ts';
import { distilbert } from './families/distilbert.ts';
import { electra } from './families/electra.ts';
import type { Family } from './families/family.ts';
import { roberta } from './families/roberta.ts';

/** The family of a graph that has no config.json beside it: from structure first, from names where the structure allows several. */
export function guessFamily(model: Model, embeddings: Embeddings, stored: readonly number[]): Family {
  if (stored.length > 1 && stored.every(layer => layer === 0)) return albert;
  if (embeddings.projection) return named(model, /albert|embedding_hidden_mapping/) ? albert : electra;
  if (embeddings.countsPositions) return roberta;
  const types = embeddings.tables.find(table => table.id.endsWith('token_type_embeddings'));
  if (!types && named(model, /distilbert|transformer[./]layer|[qkv]_lin/)) return distilbert;
  if (types?.rows === 1 || named(model, /(^|[./_])(xlm_)?roberta[./]|lm_head/)) return roberta;
  if (named(model, /(^|[./])electra[./]|discriminator_predictions/)) return electra;
  if (!types && !named(model, /pooler|(^|[./])bert[./]|attention[./]self/)) return distilbert;
  return bert;
}

/** Does any name in the file say it? Tensors, then nodes, until one does. */
function named({ tensors, graph }: Model, pattern: RegExp): boolean {
  for (const name of tensors.keys()) if (pattern.test(name)) return true;
  return graph?.nodes.some(node => pattern.test(node.name)) ?? false;
}
