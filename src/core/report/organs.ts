import { type Anatomy, type Linear, linearsIn, matricesIn, type Table } from '../anatomy/anatomy.ts';

/** The id a linear has in the tree: its path, below "other" in a model whose organs are unknown. */
export const looseId = (linear: Linear): string => `other/${linear.id}`;

/** Row of the tree -> the matrix or table it shows. Rows that repeat what another one holds (shared layers) have none. */
export function organsById(anatomy: Anatomy): Map<string, Linear | Table> {
  if (anatomy.layers.length === 0) return new Map(anatomy.linears.map(linear => [looseId(linear), linear]));
  const around = [...(anatomy.embeddingExtra ?? []), ...(anatomy.encoderExtra ?? [])];
  const own = anatomy.layers.filter(layer => layer.stored === layer.index);
  const linears = [
    ...own.flatMap(linearsIn),
    // Factored ones as wholes, too.
    ...own.flatMap(matricesIn),
    ...(anatomy.embeddingProjection ? [anatomy.embeddingProjection] : []),
    ...around.flatMap(organ => organ.linear ?? []),
    ...anatomy.top.flatMap(organ => organ.linear ?? []),
  ];
  const extras = [...around, ...anatomy.layers.flatMap(layer => layer.extra ?? [])];
  const tables = [...anatomy.tables, ...extras.flatMap(organ => organ.table ?? [])];
  return new Map<string, Linear | Table>([...tables, ...linears].map(organ => [organ.id, organ]));
}
