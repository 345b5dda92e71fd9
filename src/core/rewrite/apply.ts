import type { Anatomy } from '../anatomy/anatomy.ts';
import { detect } from '../anatomy/detect.ts';
import type { Model } from '../model/model.ts';
import type { CastEdit, Plan, QuantizeEdit } from '../passes/pass.ts';
import { castTensors } from './cast.ts';
import { quantizeTensors } from './compressed-tensors.ts';
import type { GraphModel } from './draft.ts';
import { rewriteDynamic } from './dynamic.ts';
import { rewriteRows } from './rows.ts';
import { tidy } from './tidy.ts';

/** A model and which of its tensors is which organ. */
export interface Body {
  readonly model: Model;
  readonly anatomy: Anatomy;
}

/** Edits of one kind are performed together: they share what they add to a graph. */
interface Sorted {
  readonly rows: QuantizeEdit[];
  readonly dynamic: QuantizeEdit[];
  readonly casts: CastEdit[];
}

/**
 * The model that a plan describes, and its anatomy. Pure and lazy: the source is not touched, and no weight is read before the
 * result is written. What no edit names is the same object as before, and is copied byte for byte.
 */
export async function apply(body: Body, plan: Plan): Promise<Body> {
  const model = rewritten(body, sorted(plan));
  return { model, anatomy: await detect(model) };
}

function sorted(plan: Plan): Sorted {
  const found: Sorted = { rows: [], dynamic: [], casts: [] };
  for (const edit of plan.edits) {
    switch (edit.kind) {
      case 'quantize':
        (edit.scheme === 'int8' ? found.rows : found.dynamic).push(edit);
        break;
      case 'cast':
        found.casts.push(edit);
        break;
      default:
        throw new Error(`no rewrite for ${(edit satisfies never as { kind: string }).kind}`);
    }
  }
  return found;
}

function rewritten({ model, anatomy }: Body, { rows, dynamic, casts }: Sorted): Model {
  const cast = casts.length === 0 ? model : castTensors(model, casts);
  if (!hasGraph(cast)) return rows.length === 0 ? cast : quantizeTensors(cast, rows, anatomy.tables);
  const quantized = rows.length === 0 ? cast : tidy(cast, rewriteRows(cast, rows));
  return dynamic.length === 0 ? quantized : tidy(quantized, rewriteDynamic(quantized, dynamic));
}

const hasGraph = (model: Model): model is GraphModel => model.graph !== undefined;
