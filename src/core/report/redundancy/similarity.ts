import { type Layer, linearsIn } from '../../anatomy/anatomy.ts';
import { type Gram, openGram } from '../../kernels/gram.ts';
import type { Acting } from '../acting.ts';
import type { Similarity } from '../redundancy.ts';
import { matrixOf, type Pace, READ } from './matrix.ts';

// H heads, D head dimension, L layers.

/**
 * How alike the heads of a layer are: the cosine of what each head writes for what it reads, its value matrix times its output matrix
 * [hidden, hidden]. Two heads that do the same in another basis of their D dimensions have the same product; their slices, put side by
 * side, need not look alike. The product is never made: <V_a^T O_a^T, V_b^T O_b^T> = sum over D x D of (V_a V_b^T) * (O_a^T O_b).
 * valueGram   V V^T of the value matrix   [H * D, H * D], rows of [out, in]
 * outputGram  O^T O of the output matrix  [H * D, H * D], columns of [out, in]
 */
export function headSimilarity(layer: Layer, valueGram: Float64Array, outputGram: Float64Array): Similarity {
  const { heads, headDim, index } = layer;
  const side = heads * headDim;
  const products = new Float64Array(heads * heads);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const pair = Math.floor(row / headDim) * heads + Math.floor(column / headDim);
      products[pair] = products[pair]! + valueGram[row * side + column]! * outputGram[row * side + column]!;
    }
  const labels = Array.from({ length: heads }, (_, head) => String(head));
  return { id: `encoder.layer.${index}.attention`, labels, size: heads, cosines: cosinesOf(products, heads) };
}

/** Elements of all layers together that are worked on at once: 16 MiB of f32. */
const AT_ONCE = 4 * 2 ** 20;

export interface LayerSimilarity {
  /** All matrices of each layer taken together. */
  readonly layers: Similarity;
  readonly layerMatrices: readonly Similarity[];
}

/** How alike stored layers are, in all and by each of their matrices; null with fewer than two that can be compared. */
export async function layerSimilarity(layers: readonly Layer[], pace: Pace): Promise<LayerSimilarity | null> {
  const alike = comparable(layers);
  if (alike.length < 2) return null;
  const gram = openGram(alike.length);
  const labels = alike.map(layer => String(layer.index));
  const similarity = (id: string, products: Float64Array): Similarity => ({
    ...{ id, labels, size: alike.length, cosines: cosinesOf(products, alike.length) },
    energies: labels.map((_, at) => products[at * alike.length + at]!),
  });
  const all = new Float64Array(alike.length ** 2);
  const layerMatrices: Similarity[] = [];
  for (const [organ, { id }] of linearsIn(alike[0]!).entries()) {
    const matrices = await Promise.all(alike.map(layer => matrixOf(linearsIn(layer)[organ]!, pace.signal)));
    if (!matrices.every(matrix => matrix !== undefined)) return null;
    gram.start(alike.length);
    await addSlices(gram, matrices, pace);
    const products = gram.values();
    if (!products.every(Number.isFinite)) return null;
    for (const [at, product] of products.entries()) all[at] = all[at]! + product;
    layerMatrices.push(similarity(withinLayer(id), products));
  }
  return { layers: similarity('encoder', all), layerMatrices };
}

/** The most layers whose matrices have the same shapes: those that are pruned otherwise are left out. */
export function comparable(layers: readonly Layer[]): readonly Layer[] {
  const shapes = new Map<string, Layer[]>();
  for (const layer of layers) {
    const shape = JSON.stringify(linearsIn(layer).map(({ out, in: width, transposed }) => [out, width, transposed]));
    shapes.set(shape, [...(shapes.get(shape) ?? []), layer]);
  }
  return [...shapes.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

/** "encoder.layer.3.attention.self.query" -> "attention.self.query" */
const withinLayer = (id: string): string => id.replace(/^.*?\.\d+\./, '');

/** Each matrix is one column of the Gram matrix: the same rows of all of them are read, and stand side by side. */
async function addSlices(gram: Gram, matrices: readonly Acting[], pace: Pace): Promise<void> {
  const { rows, columns } = matrices[0]!;
  const step = Math.max(1, Math.floor(AT_ONCE / matrices.length / columns));
  for (let first = 0; first < rows; first += step) {
    await pace.pause();
    const last = Math.min(rows, first + step);
    const count = (last - first) * columns;
    const values = new Float32Array(count * matrices.length);
    for (const [at, matrix] of matrices.entries()) values.set(await matrix.rowsOf(first, last, pace.signal), at * count);
    gram.add(values, count, count, 1);
    pace.done(READ * values.length, 'encoder');
  }
}

/** Products of vectors with each other -> cosines; a vector of zeros is like nothing, and like itself. */
export function cosinesOf(products: Float64Array, size: number): number[] {
  return Array.from(products, (product, at) => {
    const [row, column] = [Math.floor(at / size), at % size];
    if (row === column) return 1;
    const length = Math.sqrt(products[row * size + row]! * products[column * size + column]!);
    return length > 0 ? Math.max(-1, Math.min(1, product / length)) : 0;
  });
}
