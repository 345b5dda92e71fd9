import { elementCount } from '../tensor/tensor.ts';
import type { Table } from './anatomy.ts';
import { constantOf, isFloat, isNarrow } from './constant.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { embeddingIds } from './ids.ts';
import { type FoundNorm, normOn } from './norm.ts';
import type { Product } from './product.ts';
import { consumersOf, type Wiring } from './wiring.ts';

export interface Embeddings {
  readonly tables: readonly Table[];
  readonly norm: FoundNorm | undefined;
  readonly projection: Product | undefined;
  /** Positions are counted from the token ids (RoBERTa) instead of sliced from a range. */
  readonly countsPositions: boolean;
}

/** What stands before the first layer: tables, their sum, a norm, and in ALBERT and ELECTRA a projection. `value` is what the layer reads. */
export function embeddingsBefore(flow: Flow, source: Anchor, value: string): Embeddings {
  const projected = source.kind === 'product';
  const sum = projected ? source.from[0] : source;
  const anchors = new Set<Anchor>();
  if (sum) gather(sum, anchors);
  const norm = normOn(flow, pathTo(flow, projected ? source.reads[0]! : value)) ?? normBetween(flow, anchors);
  const found = [...anchors].filter(anchor => anchor.kind === 'table').map(anchor => tableAt(flow, anchor));
  const { tables, countsPositions } = named([...found, ...added(flow, anchors, projected ? source.reads[0]! : value)]);
  return { tables, norm, projection: source.product, countsPositions };
}

/** Everything that flows into the sum of the embeddings. */
function gather(anchor: Anchor, into: Set<Anchor>): void {
  const waiting = [anchor];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (into.has(next)) continue;
    into.add(next);
    waiting.push(...next.from);
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

interface FoundTable {
  readonly table: Table;
  readonly index: IndexSource;
}

function tableAt(flow: Flow, { node }: Anchor): FoundTable {
  const { wiring } = flow;
  const constant = constantOf(wiring, node!.inputs[0]!)!;
  const { tensor } = constant;
  const after = scalesBehind(wiring, node!.outputs[0]!);
  const scale = constant.scale ?? after.scale;
  const zeroPoint = constant.zeroPoint ?? after.zeroPoint;
  const width = tensor.shape.at(-1)!;
  const isGather = node!.opType === 'Gather';
  const table: Table = {
    id: '',
    weight: tensor,
    ...(scale && { scale }),
    ...(zeroPoint && { zeroPoint }),
    rows: elementCount(tensor.shape) / width,
    width,
    form: isNarrow(tensor) || scale ? 'quantized' : 'dense',
    nodes: isGather ? [node!] : [],
  };
  return {
    table,
    index: isGather ? indexOf(wiring, node!.inputs[1] ?? '') : { inputs: new Set(), direct: false, counted: false },
  };
}

/**
 * What scales an integer table's rows: DequantizeLinear behind the Gather, or Cast, Sub of a zero point, Mul by a scale, each a
 * constant or gathered with the same ids.
 */
function scalesBehind(wiring: Wiring, value: string): Pick<Table, 'scale' | 'zeroPoint'> {
  let scale: Table['scale'];
  let zeroPoint: Table['zeroPoint'];
  const operand = (input: string | undefined) => {
    if (!input) return undefined;
    const gather = wiring.producer.get(input);
    return constantOf(wiring, gather?.opType === 'Gather' ? gather.inputs[0]! : input)?.tensor;
  };
  for (let steps = 0; steps < 4 && !scale; steps++) {
    const [node, ...others] = consumersOf(wiring, value);
    if (!node || others.length > 0) break;
    const other = node.inputs.find(input => input !== value);
    if (node.opType === 'DequantizeLinear') [scale, zeroPoint] = [operand(node.inputs[1]), operand(node.inputs[2])];
    else if (node.opType === 'Sub') zeroPoint = operand(other);
    else if (node.opType === 'Mul') scale = operand(other);
    else if (node.opType !== 'Cast') break;
    value = node.outputs[0]!;
  }
  return { ...(scale && { scale }), ...(zeroPoint && { zeroPoint }) };
}

interface IndexSource {
  /** Inputs of the graph that the index is computed from; their shapes do not count. */
  readonly inputs: ReadonlySet<string>;
  /** The index is one of them, unchanged. */
  readonly direct: boolean;
  /** It is counted along the sequence. */
  readonly counted: boolean;
}

const unchanged = new Set(['Identity', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Expand', 'Dropout']);
/** An index is computed by at most some dozen nodes. */
const widest = 256;

function indexOf(wiring: Wiring, index: string): IndexSource {
  const inputs = new Set<string>();
  const seen = new Set<string>();
  let [direct, counted] = [true, false];
  const waiting = [index];
  for (let value = waiting.pop(); value !== undefined && seen.size < widest; value = waiting.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (wiring.fed.has(value)) inputs.add(value);
    const node = wiring.producer.get(value);
    if (!node || node.opType === 'Shape') continue;
    if (node.opType === 'CumSum') counted = true;
    if (unchanged.has(node.opType)) waiting.push(node.inputs[0] ?? '');
    else {
      direct = false;
      waiting.push(...node.inputs);
    }
  }
  return { inputs, direct: direct && inputs.size === 1, counted };
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
  const isPosition = (each: FoundTable) => says(each, /position/i);
  const isWord = (each: FoundTable) => says(each, /input_ids|input\.1|tokens?$|ids:0$/i) && !says(each, /type|segment/i);
  const word = take(bySize.find(isWord) ?? bySize.find(({ index }) => index.direct) ?? bySize[0], embeddingIds.word);
  const rest = () => bySize.filter(each => left.has(each));
  const computed = () => rest().filter(each => !each.index.direct);
  const counted = computed().find(each => each.index.counted && each.table.rows > 2);
  const position = take(
    rest().find(isPosition) ?? counted ?? computed().find(each => each.table.rows > 2) ?? computed()[0],
    embeddingIds.position,
  );
  const tokenType = take(rest()[0], embeddingIds.tokenType);
  const others = rest().map(({ table }) => ({ ...table, id: `embeddings.${table.weight.name}` }));
  return { tables: [...word, ...position, ...tokenType, ...others], countsPositions: counted !== undefined };
}
