import type { Table, TopOrgan } from './anatomy.ts';
import { isFloat } from './constant.ts';
import type { Family } from './families/family.ts';
import { topRank } from './ids.ts';
import { linear, norm, type Organ, type PackedOrgans } from './modules.ts';
import type { Named } from './names-layers.ts';
import { sameNumbers } from './same.ts';

/** What stands on top of a checkpoint's encoder, by names, in one order for every format. */
export async function topOf(
  { family, organs, packed }: Named,
  word: Table | undefined,
  copies: Map<string, string>,
  signal?: AbortSignal,
): Promise<TopOrgan[]> {
  const top = new Map<string, Organ>();
  for (const [path, organ] of organs)
    if (!/^(embeddings|encoder)\./.test(path) && path !== family.projection) top.set(path, organ);
  await tieDecoder(family, top, word, copies, signal);
  return [...top].flatMap(([id, organ]) => topOrgans(id, organ, packed)).sort((a, b) => topRank(a.id) - topRank(b.id));
}

/**
 * A decoder whose matrix is the embedding table, left out of the file or stored a second time; its bias belongs to the module
 * around it (cls.predictions.bias), sometimes stored twice as well.
 */
async function tieDecoder(
  family: Family,
  top: Map<string, Organ>,
  word: Table | undefined,
  copies: Map<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  const id = family.decoder;
  const around = id.replace(/\.decoder$/, '');
  const [outer, own] = [top.get(around), top.get(id)];
  const bias = outer?.bias ?? own?.bias;
  if (!word || (!own?.weight && bias?.shape[0] !== word.rows)) return;
  if (own?.weight && (await sameNumbers(word.weight, own.weight, signal))) copies.set(own.weight.name, word.weight.name);
  if (outer?.bias && own?.bias && outer !== own && (await sameNumbers(outer.bias, own.bias, signal)))
    copies.set(own.bias.name, outer.bias.name);
  if (outer && outer !== own && !outer.weight) top.delete(around);
  const scale = own?.weight ? own.weight_scale : word.scale;
  top.set(id, { weight: own?.weight ?? word.weight, ...(bias && { bias }), ...(scale && { weight_scale: scale }) });
}

/** A module of the top as an organ: two dimensions make a matrix, one a norm. */
function topOrgans(id: string, organ: Organ, packed: PackedOrgans): TopOrgan[] {
  const role = id.startsWith('pooler') ? 'pooler' : 'head';
  const matrix = linear(id, organ, packed);
  if (matrix) return [{ id, kind: 'linear', role, linear: matrix }];
  if (organ.weight?.shape.length === 1) return [{ id, kind: 'norm', role, norm: norm(id, organ) }];
  return Object.values(organ).flatMap(tensor => (tensor && isFloat(tensor) ? [{ id, kind: 'bias', role, tensor }] : []));
}
