import { elementCount } from '../tensor/tensor.ts';
import type { Table } from './anatomy.ts';
import { constantOf, isFloat } from './constant.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { embeddingIds } from './ids.ts';
import { type FoundNorm, normOn } from './norm.ts';
import type { Product } from './product.ts';
import { type FoundTable, tableAt } from './table.ts';

export interface Embeddings {
  readonly tables: readonly Table[];
  readonly norm: FoundNorm | undefined;
  readonly projection: Product | undefined;
  /** Positions are counted from the token ids (RoBERTa) instead of sliced from a range. */
  readonly countsPositions: boolean;
  /** The projection widens the words before they are summed with positions: a factored table, or MobileBERT. */
  readonly projectsWords: boolean;
  /** It reads neighbouring words as well (MobileBERT). */
  readonly neighbours: boolean;
}

/** What stands before the first layer: tables, their sum, a norm, and in ALBERT and ELECTRA a projection, in MobileBERT a product of neighbouring words. `value` is what the layer reads. */
export function embeddingsBefore(flow: Flow, source: Anchor, value: string): Embeddings {
  const projected = source.kind === 'product';
  const sum = projected ? source.from[0] : source;
  const anchors = new Set<Anchor>();
  if (sum) gather(sum, anchors);
  const behind = normOn(flow, pathTo(flow, value));
  const norm =
    behind ?? (projected ? normOn(flow, pathTo(flow, source.reads[0] ?? '')) : undefined) ?? normBetween(flow, anchors);
  const found = [...anchors].filter(anchor => anchor.kind === 'table').map(anchor => tableAt(flow, anchor));
  const { tables, countsPositions } = named([...found, ...added(flow, anchors, projected ? source.reads[0]! : value)]);
  const within = projected ? undefined : [...anchors].find(({ kind }) => kind === 'product')?.product;
  const neighbours = within !== undefined && within.in !== tables[0]?.width;
  return { tables, norm, projection: source.product ?? within, countsPositions, projectsWords: within !== undefined, neighbours };
}

/** Everything that flows into the sum of the embeddings. */
function gather(anchor: Anchor, into: Set<Anchor>): void {
  const waiting = [anchor];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (into.has(next)) continue;
    into.add(next);
    for (const source of next.from) waiting.push(source);
  }
}

/** A norm inside the embeddings, when the first layer does not read it directly. */
function normBetween(flow: Flow, anchors: ReadonlySet<Anchor>): FoundNorm | undefined {
  for (const anchor of anchors)
    for (const read of anchor.reads) {
      const found = normOn(flow, pathTo(flow, read));
      if (found) return found;
    }
  return undefined;
}

/** Rows of a table that an exporter has already looked up (positions of a fixed length) and adds as a constant of [1, rows, width]. */
function added(flow: Flow, anchors: ReadonlySet<Anchor>, last: string): FoundTable[] {
  const found = new Map<string, FoundTable>();
  for (const value of [...[...anchors].flatMap(anchor => anchor.reads), last])
    for (const node of pathTo(flow, value).filter(each => each.opType === 'Add'))
      for (const input of node.inputs) {
        const weight = constantOf(flow.wiring, input)?.tensor;
        const width = weight?.shape.at(-1) ?? 0;
        if (!weight || !isFloat(weight) || width < 2 || elementCount(weight.shape) <= width) continue;
        const table = { id: '', weight, rows: elementCount(weight.shape) / width, width, form: 'dense' as const, nodes: [] };
        found.set(weight.name, { table, index: { inputs: new Set(), direct: false, counted: false } });
      }
  return [...found.values()];
}

/** Tells word, position and token-type tables apart by where their indices come from, then by their rows. */
function named(found: readonly FoundTable[]): Pick<Embeddings, 'tables' | 'countsPositions'> {
  const bySize = [...found].sort((a, b) => b.table.rows - a.table.rows);
  const says = ({ index }: FoundTable, pattern: RegExp) => index.direct && [...index.inputs].some(name => pattern.test(name));
  const left = new Set(bySize);
  const take = (chosen: FoundTable | undefined, id: string): [Table] | [] => {
    if (!chosen) return [];
    left.delete(chosen);
    return [{ ...chosen.table, id }];
  };
  const isPosition = (each: FoundTable) => each.role === 'position' || (!each.role && says(each, /position/i));
  const isWord = (each: FoundTable) =>
    each.role === 'word' || (!each.role && says(each, /input_ids|input\.1|tokens?$|ids:0$/i) && !says(each, /type|segment/i));
  const word = take(bySize.find(isWord) ?? bySize.find(({ index }) => index.direct) ?? bySize[0], embeddingIds.word);
  const rest = () => bySize.filter(each => left.has(each));
  const computed = () => rest().filter(each => !each.index.direct);
  const counted = computed().find(each => each.index.counted && each.table.rows > 2);
  const position = take(
    rest().find(isPosition) ?? counted ?? computed().find(each => each.table.rows > 2),
    embeddingIds.position,
  );
  const tokenType = take(rest()[0], embeddingIds.tokenType);
  const others = rest().map(({ table }) => ({ ...table, id: `embeddings.${table.weight.name}` }));
  return { tables: [...word, ...position, ...tokenType, ...others], countsPositions: counted !== undefined };
}
