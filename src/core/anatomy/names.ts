import type { Model, Warning } from '../model/model.ts';
import type { ExtraOrgan, Layer, Table } from './anatomy.ts';
import type { Draft } from './draft.ts';
import { extraOrgan } from './extra.ts';
import type { Family } from './families/family.ts';
import { embeddingIds } from './ids.ts';
import { linear, norm, table } from './modules.ts';
import { familyIn } from './names-family.ts';
import { layersOf, type Named } from './names-layers.ts';
import { topOf } from './names-top.ts';
import { packedIn } from './packed.ts';
import { taskOf } from './tasks.ts';

export { headsOf } from './names-heads.ts';

/** The anatomy of a checkpoint from the names of its tensors; undefined when no family has such names. */
export async function readNames(model: Model, signal?: AbortSignal): Promise<Draft | undefined> {
  const chosen = familyIn(model);
  if (!chosen) return undefined;
  const packed = await packedIn(model, chosen.organs.values(), signal);
  return draftOf({ model, ...chosen, packed }, signal);
}

async function draftOf(named: Named, signal?: AbortSignal): Promise<Draft | undefined> {
  const { model, family, organs, packed } = named;
  const warnings: Warning[] = [];
  const layers = layersOf(named, warnings);
  if (layers.length === 0) return undefined;
  const projected = projectionOf(family);
  const projection = linear(projected, organs.get(projected), packed);
  const { tables, embeddingExtra, encoderExtra } = around(named);
  const copies = new Map<string, string>();
  const top = await topOf(named, tables[0], copies, signal);
  const stated = model.config.model_type;
  const hidden = hiddenOf(layers[0]!);
  return {
    family: typeof stated === 'string' ? stated : family.id,
    task: taskOf(
      model,
      top.map(organ => organ.id),
    ),
    layers,
    ...(hidden && { hidden }),
    tables,
    embeddingNorm: norm(embeddingIds.norm, organs.get(embeddingIds.norm)),
    ...(projection && { embeddingProjection: projection }),
    ...(embeddingExtra.length > 0 && { embeddingExtra }),
    ...(encoderExtra.length > 0 && { encoderExtra }),
    top,
    copies,
    warnings,
  };
}

/** The family's own, or what widens the words of a factored table. */
const projectionOf = ({ projection }: Family): string => projection ?? embeddingIds.transformation;

/** What the layer's bottleneck reads, where it has one. */
const hiddenOf = ({ extra = [] }: Layer): number | undefined =>
  extra.find(({ id }) => id.endsWith('.bottleneck.input.dense'))?.linear?.in;

/** Tables, those of words, positions and token types first, and what else stands before the layers or around them. */
function around({ family, organs, packed }: Named) {
  const first: readonly string[] = [embeddingIds.word, embeddingIds.position, embeddingIds.tokenType];
  const tables: Table[] = first.flatMap(id => table(id, organs.get(id), packed) ?? []);
  const known = new Set([...tables.map(({ id }) => id), embeddingIds.norm, projectionOf(family)]);
  const embeddingExtra: ExtraOrgan[] = [];
  const encoderExtra: ExtraOrgan[] = [];
  for (const [id, organ] of organs) {
    if (known.has(id) || !/^(embeddings|encoder)\.(?!layer\.\d)/.test(id)) continue;
    const extra = extraOrgan(id, organ, packed);
    if (!extra) continue;
    if (id.startsWith('encoder.')) encoderExtra.push(extra);
    else if (extra.table) tables.push(extra.table);
    else embeddingExtra.push(extra);
  }
  return { tables, embeddingExtra, encoderExtra };
}
