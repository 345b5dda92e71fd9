import { type Anatomy, type Layer, type Linear, linearsIn, type Table } from '../../anatomy/anatomy.ts';
import type { Sentence } from '../../errors.ts';
import { openGram } from '../../kernels/gram.ts';
import type { Model } from '../../model/model.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import type { Acting } from '../acting.ts';
import { organsById } from '../organs.ts';
import type { Redundancy, Similarity, Spectrum } from '../redundancy.ts';
import { matrixOf, type Pace, paceOf, READ } from './matrix.ts';
import { nearZero } from './near-zero.ts';
import { groupsOf, repeats } from './repeats.ts';
import { comparable, headSimilarity, layerSimilarity } from './similarity.ts';
import { MOST_SIDE, sideOf, spectrumOf, workOf } from './spectrum.ts';
import { VOCABULARY_READS, vocabularyOf, wordTable } from './vocabulary.ts';

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
  const layers = anatomy.layers.filter(layer => layer.stored === layer.index);
  const words = wordTable(anatomy);
  const total = plannedWork(jobs, tensors, layers, words);
  let worked = 0;
  const pace = paceOf(signal, (work, what) => {
    worked += work;
    progress?.(Math.min(1, worked / Math.max(1, total)), what);
  });
  const { spectra, heads, skipped } = await spectraOf(jobs, layers, pace);
  const sparse = await nearZeros(jobs, pace);
  const found = await repeats(tensors, anatomy.copies, {
    ...pace,
    done: (elements, what) => pace.done(READ * elements, what),
  });
  const alike = await layerSimilarity(layers, pace);
  return {
    version: 1,
    spectra,
    layers: alike?.layers ?? null,
    ...(alike && { layerMatrices: alike.layerMatrices }),
    heads,
    repeats: found,
    vocabulary: words ? await vocabularyOf(words, pace) : null,
    nearZero: sparse,
    ...(skipped.length > 0 && { skipped }),
  };
}

/** All that will be said to be done, in multiplications of a Gram matrix. */
function plannedWork(jobs: readonly Job[], tensors: readonly Tensor[], layers: readonly Layer[], words?: Table): number {
  const sum = <T>(items: readonly T[], work: (item: T) => number): number => items.reduce((all, item) => all + work(item), 0);
  const roles = headRoles(layers);
  const spectra = sum(jobs, job => workOf(job.matrix, sideFor(job, roles)));
  const nearZeros = 2 * READ * sum(jobs, ({ matrix }) => matrix.rows * matrix.columns);
  const repeating = READ * sum(groupsOf(tensors).flat(), ({ shape }) => elementCount(shape));
  const slices = READ * sum(comparable(layers).flatMap(linearsIn), ({ out, in: width }) => out * width);
  return spectra + nearZeros + repeating + slices + (words ? VOCABULARY_READS * READ * words.rows * words.width : 0);
}

/** Heads of a layer are compared by the Gram matrix along them. */
const sideFor = ({ organ, matrix }: Job, roles: ReadonlyMap<string, Role>): 'rows' | 'columns' =>
  sideOf(matrix, roles.get(organ.id)?.sideOf(matrix));

interface Spectra {
  readonly spectra: Spectrum[];
  readonly heads: Similarity[];
  readonly skipped: { readonly id: string; readonly reason: Sentence }[];
}

/** One Gram matrix at a time, in one memory. Those of a layer's value and output matrices also say how alike its heads are. */
async function spectraOf(jobs: readonly Job[], layers: readonly Layer[], pace: Pace): Promise<Spectra> {
  const roles = headRoles(layers);
  const sides = jobs.map(job => job.matrix[sideFor(job, roles)]).filter(side => side <= MOST_SIDE);
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
      if (!role || side !== sideFor(job, roles)) return;
      if (role.is === 'value') values.set(role.layer, gramValues);
      else {
        const value = values.get(role.layer);
        values.delete(role.layer);
        const alike = value?.length === gramValues.length ? headSimilarity(role.layer, value, gramValues) : undefined;
        if (alike?.cosines.every(Number.isFinite)) heads.push(alike);
      }
    };
    const found = await spectrumOf(job.organ, job.matrix, gram, pace, { ...(side && { side }), onGram });
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
