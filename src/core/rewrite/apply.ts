import type { Anatomy } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import type { Model } from '../model/model.ts';
import type { Edit, Plan, QuantizeEdit } from '../passes/pass.ts';
import { quantizeBlocks } from './blocks.ts';
import { castTensors } from './cast.ts';
import { compact } from './compact.ts';
import { quantizeTensors } from './compressed-tensors.ts';
import { convert } from './convert.ts';
import { rewriteDequantized } from './dequantized.ts';
import type { GraphModel } from './draft.ts';
import { rewriteDynamic } from './dynamic.ts';
import { factor } from './factor.ts';
import { narrowHeads } from './narrow-heads.ts';
import { removeHeads } from './remove-heads.ts';
import { removeHidden } from './remove-hidden.ts';
import { removeLayers } from './remove-layers.ts';
import { removeNeurons } from './remove-neurons.ts';
import { removeRows } from './remove-rows.ts';
import { replaceTensors } from './replace.ts';
import { rewriteRows } from './rows.ts';
import { shareLayers } from './share.ts';
import { store } from './store.ts';
import { tidy } from './tidy.ts';

/** A model and which of its tensors is which organ. */
export interface Body {
  readonly model: Model;
  readonly anatomy: Anatomy;
}

type Kind = Edit['kind'];
export type EditOf<K extends Kind> = Extract<Edit, { kind: K }>;

/** A kind's edits are performed together: they share what they add to a graph. */
type Rewrites = { readonly [K in Kind]: (body: Body, edits: readonly EditOf<K>[]) => Model | Promise<Model> };

/** In the order they are performed: numbers before structure, layers after what is in them. */
const rewrites: Rewrites = {
  replace: ({ model, anatomy }, edits) => replaceTensors(model, anatomy, edits),
  cast: ({ model }, edits) => castTensors(model, edits),
  'remove-heads': removeHeads,
  'remove-neurons': removeNeurons,
  'remove-rows': removeRows,
  'remove-hidden': removeHidden,
  'narrow-heads': narrowHeads,
  factor,
  compact,
  share: shareLayers,
  'remove-layers': removeLayers,
  quantize,
  store,
  convert,
  'quantize-blocks': ({ model }, edits) => quantizeBlocks(model, edits),
};

/** Kinds whose edits name organs by id and number and so need them found anew behind other edits. */
const kinds = Object.keys(rewrites) as Kind[];

/** The same tensors under the same names in the same nodes: the anatomy is found once for all of these. */
const keepsStructure: ReadonlySet<Kind> = new Set(['replace', 'cast', 'quantize', 'quantize-blocks', 'store', 'convert']);

/**
 * The model that a plan describes, and its anatomy. Pure and lazy: the source is not touched, and no weight is read before the
 * result is written. What no edit names is the same object as before, and is copied byte for byte.
 */
export async function apply(body: Body, plan: Plan): Promise<Body> {
  let { model, anatomy } = body;
  let isFound = true;
  for (const kind of kinds) {
    const edits = plan.edits.filter(edit => edit.kind === kind);
    if (edits.length === 0) continue;
    if (!isFound && !keepsStructure.has(kind)) anatomy = await detect(model);
    model = await perform(kind, { model, anatomy }, edits);
    isFound = false;
  }
  return { model, anatomy: isFound ? anatomy : await detect(model) };
}

/** `edits` are all of this kind. */
const perform = <K extends Kind>(kind: K, body: Body, edits: readonly Edit[]): Model | Promise<Model> =>
  rewrites[kind](body, edits as readonly EditOf<K>[]);

function quantize({ model, anatomy }: Body, edits: readonly QuantizeEdit[]): Model {
  const of = (...schemes: QuantizeEdit['scheme'][]) => edits.filter(edit => schemes.includes(edit.scheme));
  const rows = of('int8');
  if (!hasGraph(model)) return rows.length === 0 ? model : quantizeTensors(model, rows, anatomy.tables);
  const steps = [
    [rewriteRows, rows],
    [rewriteDynamic, of('int8-dynamic')],
    [rewriteDequantized, of('int8-static', 'int8-weights')],
  ] as const;
  return steps.reduce((before, [rewrite, own]) => (own.length === 0 ? before : tidy(before, rewrite(before, own))), model);
}

export const hasGraph = (model: Model): model is GraphModel => model.graph !== undefined;
