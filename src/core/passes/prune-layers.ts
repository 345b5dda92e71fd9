import { fail, sentence } from '../errors.ts';
import { definePass, type Plan } from './pass.ts';
import { noLayers } from './prune/plan-heads.ts';
import { complement } from './prune/units.ts';

export const pruneLayers = definePass({
  id: 'prune-layers',
  title: sentence('Prune layers'),
  summary: sentence('Remove whole layers: what the one below gives is what the one above reads.'),
  source: 'Sajjad et al., On the Effect of Dropping Layers of Pre-trained Transformer Models, CSL 2023',
  needs: ['weights'],
  fields: {
    remove: {
      kind: 'integers',
      label: sentence('Remove these'),
      help: sentence('Layers, counted from 0.'),
      default: [],
    },
    keep: {
      kind: 'integers',
      label: sentence('Keep only these'),
      help: sentence('Layers, counted from 0.'),
      default: [],
    },
  },
  suggestions: [],
  async plan(anatomy, { remove, keep }, { model }): Promise<Plan> {
    const { layers } = anatomy;
    if (layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
    if (remove.length > 0 && keep.length > 0)
      throw fail('bad-recipe', 'Give {one} or {other}, not both.', { one: 'remove', other: 'keep' }, { file: model.name });
    if (remove.length === 0 && keep.length === 0)
      throw fail(
        'bad-recipe',
        'What to remove is not said: give {one} or {other}.',
        { one: 'remove', other: 'keep' },
        { file: model.name },
      );
    const missing = [...remove, ...keep].find(layer => layer >= layers.length);
    if (missing !== undefined)
      throw fail(
        'bad-recipe',
        'There is no layer {layer}: the model has {count}, counted from 0.',
        { layer: missing, count: layers.length },
        { file: model.name },
      );
    const gone = keep.length > 0 ? complement(keep, layers.length) : [...remove].sort((a, b) => a - b);
    if (gone.length === layers.length)
      throw fail(
        'bad-recipe',
        'All {count} layers would go; one at least must stay.',
        { count: layers.length },
        { file: model.name },
      );
    return { edits: gone.length > 0 ? [{ kind: 'remove-layers', layers: gone }] : [], skipped: [] };
  },
});
