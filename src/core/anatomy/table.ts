import type { Node } from '../model/graph.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Table } from './anatomy.ts';
import { constantOf, isNarrow } from './constant.ts';
import type { Anchor, Flow } from './flow.ts';
import type { LookUp } from './fused.ts';
import { blockPacking } from './product.ts';
import { consumersOf, integer, type Wiring } from './wiring.ts';

/** A table, and where the indices that read it come from. */
export interface FoundTable {
  readonly table: Table;
  readonly index: IndexSource;
  /** Where an operator says what the table is for. */
  readonly role?: LookUp['role'];
}

/** The table that an anchor reads, with what scales its rows. */
export function tableAt(flow: Flow, { node, lookUp }: Anchor): FoundTable {
  const { wiring } = flow;
  if (lookUp) return tableIn(wiring, node!, lookUp);
  const isBlocks = node!.opType === 'GatherBlockQuantized';
  const constant = constantOf(wiring, node!.inputs[0]!)!;
  const { tensor } = constant;
  const after = isBlocks ? scalesBeside(wiring, node!) : scalesBehind(wiring, node!.outputs[0]!);
  const scale = constant.scale ?? after.scale;
  const zeroPoint = constant.zeroPoint ?? after.zeroPoint;
  const width = tensor.shape.at(-1)! * (isBlocks ? perElement(node!, tensor) : 1);
  const packed = isBlocks ? blockPacking(node!) : undefined;
  const isGather = isBlocks || node!.opType === 'Gather';
  const table: Table = {
    id: '',
    weight: tensor,
    ...(scale && { scale }),
    ...(zeroPoint && { zeroPoint }),
    rows: elementCount(tensor.shape) / tensor.shape.at(-1)!,
    width,
    form: isNarrow(tensor) || scale ? 'quantized' : 'dense',
    ...(packed && tensor.dtype === 'uint8' && { packed }),
    nodes: isGather ? [node!] : [],
  };
  return {
    table,
    index: isGather ? indexOf(wiring, node!.inputs[1] ?? '') : { inputs: new Set(), direct: false, counted: false },
  };
}

/** One of the tables that an operator of embeddings looks up. */
function tableIn(wiring: Wiring, node: Node, lookUp: LookUp): FoundTable {
  const stored = (at: number | undefined) => (at === undefined ? undefined : constantOf(wiring, node.inputs[at] ?? '')?.tensor);
  const weight = stored(lookUp.table)!;
  const [scale, zeroPoint] = [stored(lookUp.scale), stored(lookUp.zeroPoint)];
  const [rows, width] = weight.shape as [number, number];
  const form = isNarrow(weight) || scale ? 'quantized' : 'dense';
  return {
    table: { id: '', weight, ...(scale && { scale }), ...(zeroPoint && { zeroPoint }), rows, width, form, nodes: [node] },
    index: indexOf(wiring, node.inputs[lookUp.index] ?? ''),
    role: lookUp.role,
  };
}

/** Numbers in a byte: 4 and 2 bits lie packed in uint8. */
const perElement = (node: Node, { dtype }: Tensor): number => (dtype === 'uint8' ? 8 / Math.min(8, integer(node, 'bits', 4)) : 1);

/** Scales and zero points of blocks, as inputs of the look-up. */
function scalesBeside(wiring: Wiring, node: Node): Pick<Table, 'scale' | 'zeroPoint'> {
  const [scale, zeroPoint] = [2, 3].map(at => constantOf(wiring, node.inputs[at] ?? '')?.tensor);
  return { ...(scale && { scale }), ...(zeroPoint && { zeroPoint }) };
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

export interface IndexSource {
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
      for (const input of node.inputs) waiting.push(input);
    }
  }
  return { inputs, direct: direct && inputs.size === 1, counted };
}
