import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Skipped } from '../pass.ts';
import {
  alreadyQuantized,
  idleGlobs,
  leastSaving,
  leftOut,
  nothingFound,
  quantizedAlready,
  threeDimensional,
  vectorsKept,
} from './choice.ts';
import { sidesOf } from './eight-bits.ts';
import type { QuantizeOptions } from './scheme.ts';

/** Matrices and tables of a checkpoint that can be stored with fewer bits, and why the others are not. */
export interface Storable {
  readonly linears: readonly Linear[];
  readonly tables: readonly Table[];
  readonly skipped: Skipped[];
}

/** `bytesOf`: what an organ would take; `tables` false: none of them are taken. */
export function storableIn(
  model: Model,
  anatomy: Anatomy,
  options: QuantizeOptions,
  bytesOf: (organ: Linear | Table) => number,
): Storable {
  if (model.config.quantization_config !== undefined)
    return { linears: [], tables: [], skipped: [{ target: model.name, reason: alreadyQuantized() }] };
  if (anatomy.layers.length === 0) {
    const reason =
      anatomy.notBert ?? sentence('No BERT layers were found, so it cannot be told which matrices are linear layers.');
    return { linears: [], tables: [], skipped: [{ target: model.name, reason }] };
  }
  const skipped: Skipped[] = [...quantizedAlready(anatomy), ...threeDimensional(anatomy)];
  const tableNames = new Set(anatomy.tables.map(({ weight }) => weight.name));
  const isTable = ({ name }: Tensor) => tableNames.has(anatomy.copies.get(name) ?? name);
  const keep = (organ: Linear | Table, isLinear: boolean): boolean => {
    const reason = leftOut(organ.id, options) ?? unfit(organ, isLinear && isTable(organ.weight), bytesOf(organ), model);
    if (reason) skipped.push({ target: organ.id, reason });
    return !reason;
  };
  const linears = anatomy.linears.filter(it => it.form === 'dense').filter(it => keep(it, true));
  const tables = anatomy.tables.filter(it => it.form === 'dense').filter(it => keep(it, false));
  const ids = [...anatomy.tables, ...anatomy.linears].map(({ id }) => id);
  skipped.push(...nothingFound(model, skipped, linears.length + tables.length), ...idleGlobs(ids, options));
  skipped.push(...vectorsKept(model, ({ dtype, shape }) => isFloat(dtype) && shape.length === 1));
  return { linears, tables, skipped };
}

/** Does a decoder share this table? transformers ties them by one tensor, which has to be floating point then. */
export const hasDecoder = ({ id, weight }: Table, { copies, task }: Anatomy): boolean =>
  [...copies.values()].includes(weight.name) || (/word_embeddings$/.test(id) && (task === 'masked-lm' || task === 'pretraining'));

/** What is said of such a table. */
export const storedAsHalf = ({ id }: Table): Skipped => ({
  target: id,
  reason: sentence('A decoder shares it, so it has to be floating point: stored as fp16 instead.'),
});

function unfit({ weight, ...organ }: Linear | Table, isTied: boolean, bytes: number, model: Model): Sentence | undefined {
  if (!isFloat(weight.dtype)) return sentence('It is {dtype}, not floating point.', { dtype: weight.dtype });
  if (isTied) return sentence('It is the embedding table, which transformers keeps as it is.');
  if (('transposed' in organ && organ.transposed) || weight.shape.length !== 2 || !weight.name.endsWith('.weight'))
    return sentence('It does not lie as out x in.');
  const [rows, columns] = sidesOf(weight);
  if (rows * columns === 0) return sentence('It is empty.');
  const saved = weight.byteLength - bytes;
  if (saved >= leastSaving(model)) return undefined;
  return sentence('Too small to gain: it would save {saved} bytes of the file.', { saved: Math.max(0, Math.round(saved)) });
}
