import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { CastEdit, Plan, StoreEdit } from '../pass.ts';
import { asColumn } from './as-float8.ts';
import { asHalf } from './as-half.ts';
import { castsOf } from './casts.ts';
import { byRows } from './eight-bits.ts';
import { bytesIn, type Form, formsOf } from './packed-forms.ts';
import { packMatrix } from './packed-matrix.ts';
import type { QuantizeOptions } from './scheme.ts';
import { hasDecoder, storableIn, storedAsHalf } from './storable.ts';

/** Shares of a group's range that are tried below 8 bits. */
const ratios = [1, 0.95, 0.9, 0.85, 0.8];

/**
 * Matrices of a checkpoint with as many bits as their layer has, in groups of inputs; tables with theirs. `areSeveral`: sizes are to
 * add up matrix by matrix, so that one form for all is no case of its own.
 */
export function planPackedTensors(model: Model, anatomy: Anatomy, options: QuantizeOptions, areSeveral = false): Plan {
  const forms = formsOf(anatomy, options, areSeveral);
  const { linears, tables, skipped } = storableIn(model, anatomy, options, organ => bytesIn(organ, forms.of(organ)));
  const edits: (StoreEdit | CastEdit)[] = [];
  for (const table of tables) {
    const form = forms.of(table);
    if (form.kind === 'as it is')
      skipped.push({ target: table.id, reason: sentence('Embeddings stay as they are by “embedding_bits”.') });
    else if (form.kind === 'half') edits.push(...castsOf(table, anatomy, model));
    else if (!hasDecoder(table, anatomy)) edits.push(stored(table, form));
    else {
      edits.push(...castsOf(table, anatomy, model));
      skipped.push(storedAsHalf(table));
    }
  }
  for (const linear of linears) {
    const form = forms.of(linear);
    edits.push(form.kind === 'half' ? { kind: 'cast', target: linear, values: asHalf(linear.weight) } : stored(linear, form));
  }
  return { edits, skipped, notes: edits.length > 0 && forms.note ? [forms.note] : [] };
}

function stored(target: Linear | Table, form: Form): StoreEdit {
  if (form.kind !== 'packed') return inBytes(target);
  const { bits, groupSize, symmetric } = form;
  const shape = { bits, size: groupSize || target.weight.shape.at(-1)!, symmetric, ratios: bits === 8 ? [1] : ratios };
  return { kind: 'store', target, bits, groupSize, ...packMatrix(target.weight, target.id, shape) };
}

/** int8 with a scale for each row, under its own name. */
function inBytes(target: Linear | Table): StoreEdit {
  const { values, scale } = byRows(target.weight, { id: target.id, signed: true });
  return { kind: 'store', target, bits: 8, groupSize: 0, values, scale: asColumn(scale) };
}
