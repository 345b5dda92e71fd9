import type { Anatomy, Layer, Linear, Table } from '../../anatomy/anatomy.ts';
import type { Sentence } from '../../errors.ts';
import { openGram } from '../../kernels/gram.ts';
import type { Model } from '../../model/model.ts';
import type { Acting } from '../acting.ts';
import { organsById } from '../organs.ts';
import type { Redundancy, Similarity, Spectrum } from '../redundancy.ts';
import { matrixOf, type Pace, paceOf } from './matrix.ts';
import { nearZero } from './near-zero.ts';
import { repeats } from './repeats.ts';
import { headSimilarity, layerSimilarity } from './similarity.ts';
import { MOST_SIDE, sideOf, spectrumOf, workOf } from './spectrum.ts';
import { unusedRows, wordTable } from './vocabulary.ts';

export interface AnalyseOptions {
  readonly signal?: AbortSignal | undefined;
  /** Share of the work that is done, 0 to 1, and what is being worked on. */
  readonly progress?: (fraction: number, what: string) => void;
}

interface Job {
  readonly organ: Linear | Table;
  readonly matrix: Acting;
}

/** Where a model repeats itself. Reads every matrix a few times, run by run; holds one at most, and its Gram matrix. */
export async function analyse(model: Model, anatomy: Anatomy, { signal, progress }: AnalyseOptions = {}): Promise<Redundancy> {
  const jobs: Job[] = [];
  for (const organ of organsById(anatomy).values()) {
    const matrix = await matrixOf(organ, signal);
    if (matrix) jobs.push({ organ, matrix });
  }
  const tensors = [...model.tensors.values()];
  const total = jobs.reduce((sum, { matrix }) => sum + workOf(matrix) + READ * 3 * matrix.rows * matrix.columns, 0);
  let worked = 0;
  const pace = paceOf(signal, (work, what) => {
    worked += work;
    progress?.(Math.min(1, worked / Math.max(1, total)), what);
  });
  const layers = anatomy.layers.filter(layer => layer.stored === layer.index);
  const { spectra, heads, skipped } = await spectraOf(jobs, layers, pace);
  const sparse = await nearZeros(jobs, pace);
  const found = await repeats(tensors, anatomy.copies, {
    ...pace,
    done: (elements, what) => pace.done(READ * elements, what),
  });
  const words = wordTable(anatomy);
  return {
    version: 1,
    spectra,
    layers: await layerSimilarity(layers, pace),
    heads,
    repeats: found,
    vocabulary: words ? await unusedRows(words, pace) : null,
    nearZero: sparse,
    ...(skipped.length > 0 && { skipped }),
  };
}

/** What reading and looking at one value takes, in multiplications of a Gram matrix. */
const READ = 8;

interface Spectra {
  readonly spectra: Spectrum[];
  readonly heads: Similarity[];
  readonly skipped: { readonly id: string; readonly reason: Sentence }[];
}

/** One Gram matrix at a time, in one memory. Those of a layer's value and output matrices also say how alike its heads are. */
async function spectraOf(jobs: readonly Job[], layers: readonly Layer[], pace: Pace): Promise<Spectra> {
  const roles = headRoles(layers);
  const sideFor = ({ organ, matrix }: Job) => sideOf(matrix, roles.get(organ.id)?.sideOf(matrix));
  const sides = jobs.map(job => job.matrix[sideFor(job)]).filter(side => side <= MOST_SIDE);
  const gram = openGram(Math.max(1, ...sides));
  const spectra: Spectrum[] = [];
  const heads: Similarity[] = [];
  const skipped: { id: string; reason: Sentence }[] = [];
  const values = new Map<Layer, Float64Array>();
  for (const job of jobs) {
    pace.done(0, job.organ.id);
    const role = roles.get(job.organ.id);
    const side = role?.sideOf(job.matrix);
    const onGram = (gramValues: Float64Array): void => {
      if (!role || side !== sideFor(job)) return;
      if (role.is === 'value') values.set(role.layer, gramValues);
      else {
        const value = values.get(role.layer);
        values.delete(role.layer);
        const alike = value?.length === gramValues.length ? headSimilarity(role.layer, value, gramValues) : undefined;
        if (alike?.cosines.every(Number.isFinite)) heads.push(alike);
      }
    };
    const found = await spectrumOf(job.organ, job.matrix, gram, pace, { ...(side && { side }), onGram });
    pace.done(workOf(job.matrix), job.organ.id);
    if ('values' in found) spectra.push(found);
    else skipped.push({ id: job.organ.id, reason: found });
  }
  return { spectra, heads, skipped };
}

interface Role {
  readonly layer: Layer;
  readonly is: 'value' | 'output';
  /** The side of the stored matrix along which heads lie. */
  sideOf(matrix: Acting): 'rows' | 'columns';
}

/** Value matrices have their heads along `out`, output matrices along `in`. */
function headRoles(layers: readonly Layer[]): Map<string, Role> {
  const roles = new Map<string, Role>();
  for (const layer of layers) {
    const { heads, headDim, value, output } = layer;
    if (heads < 2 || value.out !== heads * headDim || output.in !== heads * headDim) continue;
    roles.set(value.id, { layer, is: 'value', sideOf: ({ transposed }) => (transposed ? 'columns' : 'rows') });
    roles.set(output.id, { layer, is: 'output', sideOf: ({ transposed }) => (transposed ? 'rows' : 'columns') });
  }
  return roles;
}

async function nearZeros(jobs: readonly Job[], pace: Pace): Promise<Redundancy['nearZero']> {
  let [near, count] = [0, 0];
  const organs: { id: string; share: number }[] = [];
  for (const { organ, matrix } of jobs) {
    const elements = matrix.rows * matrix.columns;
    const found = await nearZero(matrix, pace);
    pace.done(2 * READ * elements, organ.id);
    organs.push({ id: organ.id, share: found / elements });
    near += found;
    count += elements;
  }
  return { all: count === 0 ? 0 : near / count, organs };
}
