import { type Layer, type Linear, matricesIn } from '../../anatomy/anatomy.ts';
import { normAsItIs } from '../as-it-is.ts';
import { calibrationOf } from '../calibration-of.ts';
import { placesIn } from '../factorize/whitened.ts';
import type { Edit, PassContext, ReplaceEdit, ShareEdit } from '../pass.ts';
import { fitNorm } from '../refit/norm-fit.ts';

/** The norms of layers that share, each refitted to what the original gives there, from below: what a shared matrix shifts is taken back. */
export async function refittedNorms(
  groups: readonly (readonly Layer[])[],
  { tensors }: ShareEdit,
  context: PassContext,
): Promise<ReplaceEdit[]> {
  const walk = await (await calibrationOf(context, 'share-layers')).walk([], undefined, 'source');
  const firsts = new Map(groups.flatMap(group => group.map(layer => [layer.index, { layer, first: group[0]! }] as const)));
  const made: ReplaceEdit[] = [];
  while (walk.at) {
    const { layer: index, part } = walk.at;
    const found = firsts.get(index);
    const edits: Edit[] = [];
    if (found) {
      const { layer, first } = found;
      const { enters, leaves } = placesIn(layer)[part];
      for (const linear of [...enters, ...leaves]) edits.push(shared(linear, matricesIn(layer).indexOf(linear), first));
      const behind = part === 'attention' ? layer.attentionNorm : layer.outputNorm;
      const norm = await fitNorm(walk, behind, edits, 'output', context.signal);
      const refitted = norm ? [norm] : normAsItIs(behind);
      made.push(...refitted);
      edits.push(...refitted);
    }
    await walk.advance(edits);
  }
  return made;

  /** The group's numbers in the place of a layer's own: what it will do when it shares. */
  function shared(target: Linear, place: number, first: Layer): ReplaceEdit {
    const { id } = matricesIn(first)[place]!;
    const [weight, bias] = [tensors.get(`${id}.weight`), target.bias && tensors.get(`${id}.bias`)];
    return { kind: 'replace', target, ...(weight && { weight }), ...(bias && { bias }) };
  }
}
