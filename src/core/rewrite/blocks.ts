import type { Node } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import { computed } from '../passes/computed.ts';
import type { QuantizeBlocksEdit } from '../passes/pass.ts';
import { type Use, usesOfConstants } from '../passes/uses.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { rewriteStandardBlocks } from './blocks-standard.ts';
import { Draft, type GraphModel, int, makeNode } from './draft.ts';
import { tidy } from './tidy.ts';

// Weights in blocks with onnxruntime's own operators, as its MatMulNBitsQuantizer (1.30) writes and names them:
//
//     MatMul(x, W) -> MatMulNBits(x, W_Q4, W_scales, W_zero_points)       K, N, bits, block_size; activations in floating point
//     Gather(T, ids) -> GatherBlockQuantized(T_Q4, ids, T_scales, T_zero_points), behind it a Cast where the scales are fp16
//     Gemm -> MatMulNBits + Add
//
// The tool keeps tables as UINT4 and sets the opset to 21 for it without looking at the other nodes; here they are bytes of 8 / bits
// numbers, which the operator takes at any opset.

const MICROSOFT = 'com.microsoft';

/** Names in the graph of a weight in blocks. */
interface Stored {
  readonly edit: QuantizeBlocksEdit;
  readonly values: string;
  readonly beside: readonly string[];
}

/** A graph with the weights of these edits in blocks. Without a graph nothing changes: passes say so beforehand. */
export function quantizeBlocks(model: Model, edits: readonly QuantizeBlocksEdit[]): Model {
  const { graph } = model;
  if (!graph) return model;
  const contrib = edits.filter(({ operators }) => operators === 'contrib');
  const standard = edits.filter(({ operators }) => operators === 'standard');
  const before = { ...model, graph };
  const made = contrib.length === 0 ? before : tidy(before, rewriteBlocks(before, contrib));
  return standard.length === 0 ? made : tidy(made, rewriteStandardBlocks(made, standard));
}

/** Rewrites every product and lookup of the weights of these edits. */
function rewriteBlocks(model: GraphModel, edits: readonly QuantizeBlocksEdit[]): GraphModel {
  const draft = new Draft(model);
  const uses = usesOfConstants(model);
  const byNode = new Map<Node, { readonly use: Use; readonly stored: Stored }>();
  for (const edit of edits) {
    const own = uses.get(edit.target.weight.name) ?? [];
    const stored = store(draft, edit, own);
    for (const use of own) byNode.set(use.node, { use, stored });
  }
  for (const node of model.graph.nodes) {
    const found = byNode.get(node);
    if (!found) draft.push(node);
    else if (found.use.kind === 'gather') lookup(draft, node, found.stored);
    else product(draft, node, found.stored);
  }
  const made = draft.finish();
  const opsets = new Map([...made.graph.opsets, [MICROSOFT, made.graph.opsets.get(MICROSOFT) ?? 1]]);
  return { ...made, graph: { ...made.graph, opsets } };
}

/** A table lies by rows, [rows, bytes]; a matrix by channels and blocks. */
function store(draft: Draft, edit: QuantizeBlocksEdit, uses: readonly Use[]): Stored {
  const { name } = edit.target.weight;
  const { values, scale, zeroPoint, bits } = edit;
  const isTable = uses.some(use => use.kind === 'gather');
  const add = (suffix: string, tensor: Tensor) => draft.addInitializer(`${name}_${suffix}`, tensor, name);
  return {
    edit,
    values: add(`Q${bits}`, isTable ? asRows(values, edit) : values),
    beside: [add('scales', scale), ...(zeroPoint ? [add('zero_points', zeroPoint)] : [])],
  };
}

/** Rows without what fills up their last block. */
function asRows(values: Tensor, { target, bits }: QuantizeBlocksEdit): Tensor {
  const [rows = 0, blocks = 0, bytes = 0] = values.shape;
  const [long, short] = [blocks * bytes, Math.ceil(((target.weight.shape[1] ?? 0) * bits) / 8)];
  const shape = [rows, short];
  if (long === short) return { ...values, shape };
  return computed(values.name, 'uint8', shape, async (start, end, signal) => {
    const [first, last] = [Math.floor(start / short), Math.ceil(end / short)];
    const whole = await values.bytes(first * long, last * long, signal);
    const cut = new Uint8Array((last - first) * short);
    for (let r = 0; r < last - first; r++) cut.set(whole.subarray(r * long, r * long + short), r * short);
    return cut.subarray(start - first * short, end - first * short);
  });
}

const nameFor = (node: Node, bits: number): string => (node.name ? `${node.name}_Q${bits}` : '');

function product(draft: Draft, node: Node, { edit, values, beside }: Stored): void {
  const { bits, blockSize, target } = edit;
  const [channels = 0] = edit.scale.shape;
  const [rows = 0, columns = 0] = target.weight.shape;
  const length = (rows * columns) / channels;
  const [x = '', , bias] = node.inputs;
  const y = node.outputs[0]!;
  const output = node.opType === 'Gemm' && bias ? draft.freshValue(`${y}_product`) : y;
  const attributes = { K: int(length), N: int(channels), bits: int(bits), block_size: int(blockSize) };
  const made = makeNode('MatMulNBits', [x, values, ...beside], [output], nameFor(node, bits), attributes, node.metadata);
  draft.push({ ...made, domain: MICROSOFT });
  if (output !== y) draft.push(makeNode('Add', [output, bias!], [y], draft.freshNodeName(`${node.name || y}_bias`)));
}

function lookup(draft: Draft, node: Node, { edit, values, beside }: Stored): void {
  const { bits, blockSize } = edit;
  const attributes = { bits: int(bits), block_size: int(blockSize), gather_axis: int(0), quantize_axis: int(1) };
  const [scales = '', ...zeroPoint] = beside;
  const inputs = [values, node.inputs[1] ?? '', scales, ...zeroPoint];
  const y = node.outputs[0]!;
  const { dtype } = edit.target.weight;
  const output = edit.scale.dtype === dtype ? y : draft.freshValue(`${y}_${edit.scale.dtype}`);
  const made = makeNode('GatherBlockQuantized', inputs, [output], nameFor(node, bits), attributes, node.metadata);
  draft.push({ ...made, domain: MICROSOFT });
  if (output === y) return;
  draft.push(makeNode('Cast', [output], [y], draft.freshNodeName(`${node.name || y}_wide`), { to: int(dtypes[dtype].onnx!) }));
}
