import type { Anatomy } from '../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../errors.ts';
import type { Edit, Plan } from '../passes/pass.ts';
import type { Body } from '../rewrite/apply.ts';

/** What the repairs of a step aim at: the model as it was before all steps, so that they mend what earlier ones lost too. */
export interface Source {
  readonly body: Body;
  /** For each layer of the model as it is: the source's layer that it was. */
  readonly layers: readonly number[];
  /** Why it is not the first model. */
  readonly reason?: Sentence;
}

export const sourceOf = (body: Body): Source => ({ body, layers: body.anatomy.layers.map(({ index }) => index) });

/** The source of the step behind one that made `body` by `plan`: the same, or `body` where the two no longer correspond. */
export function sourceBehind(source: Source, plan: Plan, body: Body): Source {
  const gone = new Set(plan.edits.flatMap(edit => (edit.kind === 'remove-layers' ? edit.layers : [])));
  const layers = source.layers.filter((_, layer) => !gone.has(layer));
  const reason = whyNot(source.body.anatomy, body.anatomy, plan, layers.length);
  return reason ? { ...sourceOf(body), reason } : { ...source, layers };
}

function whyNot(before: Anatomy, now: Anatomy, { edits }: Plan, layers: number): Sentence | undefined {
  const has = (kind: Edit['kind']) => edits.some(edit => edit.kind === kind);
  if (has('remove-rows') || before.vocabulary !== now.vocabulary)
    return sentence('Repairs aim at what an earlier step made, not at the original: the vocabulary is another one.');
  // Turned, they may be as wide as they were.
  if (has('remove-hidden') || before.hidden !== now.hidden)
    return sentence('Repairs aim at what an earlier step made, not at the original: hidden states are others.');
  if (layers !== now.layers.length)
    return sentence('Repairs aim at what an earlier step made, not at the original: it is not known which layer is which.');
  return undefined;
}
