import { type Anatomy, type Layer, type Linear, linearsIn, type Table } from '../anatomy/anatomy.ts';

/** The id a linear has in the tree: its path, below "other" in a model whose organs are unknown. */
export const looseId = (linear: Linear): string => `other/${linear.id}`;

/** Factored matrices of a layer as wholes, beside their factors. */
const factoredIn = ({ query, key, value, output, up, gate, down, extra = [] }: Layer): Linear[] =>
  [query, key, value, output, up, ...(gate ? [gate] : []), down, ...extra.flatMap(organ => organ.linear ?? [])]
    .map(linear => linear.within ?? linear)
    .filter(linear => linear.factors);

/** Row of the tree -> the matrix or table it shows. Rows that repeat what another one holds (shared layers) have none. */
export function organsById(anatomy: Anatomy): Map<string, Linear | Table> {
  if (anatomy.layers.length === 0) return new Map(anatomy.linears.map(linear => [looseId(linear), linear]));
  const around = [...(anatomy.embeddingExtra ?? []), ...(anatomy.encoderExtra ?? [])];
  const own = anatomy.layers.filter(layer => layer.stored === layer.index);
  const linears = [
    ...own.flatMap(linearsIn),
    ...own.flatMap(factoredIn),
    ...(anatomy.embeddingProjection ? [anatomy.embeddingProjection] : []),
    ...around.flatMap(organ => organ.linear ?? []),
    ...anatomy.top.flatMap(organ => organ.linear ?? []),
  ];
  const extras = [...around, ...anatomy.layers.flatMap(layer => layer.extra ?? [])];
  const tables = [...anatomy.tables, ...extras.flatMap(organ => organ.table ?? [])];
  return new Map<string, Linear | Table>([...tables, ...linears].map(organ => [organ.id, organ]));
}
