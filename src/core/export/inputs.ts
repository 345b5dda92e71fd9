import type { Anatomy } from '../anatomy/anatomy.ts';
import { tokenTypes } from './embeddings.ts';
import { type GraphBuilder, int } from './graph-builder.ts';

/** Values of [batch, sequence]. */
export interface Inputs {
  readonly ids: string;
  readonly mask: string;
  /** Absent in families and models that have no types, or only one. */
  readonly types: string | undefined;
  /** The size [batch, choices], where a row is one of the choices that a question gives. */
  readonly choices: string | undefined;
}

/** The inputs of transformers' exporters: [batch, sequence], or [batch, choices, sequence], whose choices become rows of the batch. */
export function addInputs(graph: GraphBuilder, anatomy: Anatomy): Inputs {
  const hasChoices = anatomy.task === 'multiple-choice';
  const axes = hasChoices ? ['batch', 'choices', 'sequence'] : ['batch', 'sequence'];
  const [ids, mask] = ['input_ids', 'attention_mask'].map(name => graph.input(name, axes)) as [string, string];
  const types = tokenTypes(anatomy) > 1 ? graph.input('token_type_ids', axes) : undefined;
  if (!hasChoices) return { ids, mask, types, choices: undefined };
  const flat = (value: string) => graph.node('Flatten', [value], { axis: int(2) });
  return graph.within('choices', () => ({
    ids: flat(ids),
    mask: flat(mask),
    types: types && flat(types),
    choices: graph.node('Shape', [ids], { end: int(2) }),
  }));
}
