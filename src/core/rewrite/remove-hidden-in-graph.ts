import type { Anatomy, Layer } from '../anatomy/anatomy.ts';
import { skipIds, wideningId } from '../anatomy/ids.ts';
import { taps } from '../anatomy/taps.ts';
import { sentence } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import { withInputs, withOutputs } from '../model/graph-edit.ts';
import { held } from '../passes/computed.ts';
import type { RemoveHiddenEdit } from '../passes/pass.ts';
import { cannot } from '../passes/prune/prunable.ts';
import { turned } from '../passes/turned.ts';
import { usesOfConstants } from '../passes/uses.ts';
import { Draft, type GraphModel } from './draft.ts';
import { tidy } from './tidy.ts';
import { withTensors } from './with-tensors.ts';

/**
 * What each half adds goes through a matrix first; the last layer's output is widened under the name it has, so that all above reads what
 * it read. A decoder that is the table of words reads through one more. Shapes that name the hidden size follow.
 * throws 'unsupported' where the graph does not show its residual sums
 */
export async function removeHiddenInGraph(model: GraphModel, anatomy: Anatomy, edit: RemoveHiddenEdit): Promise<GraphModel> {
  const { layers } = taps(model, anatomy);
  const last = layers.at(-1)?.output;
  const sums = layers.flatMap(({ sums }) => sums ?? []);
  if (last === undefined || sums.length !== edit.skips.length)
    throw cannot(model, sentence('The residual sums of this graph are not understood, so its hidden states cannot be narrowed.'));
  const decoders = edit.decoder ? decodersOf(model, anatomy) : new Set<Node>();
  const shapes = await shapesOf(model, anatomy);
  const changed = withTensors(model, edit.tensors) as GraphModel;
  const draft = new Draft({ ...changed, graph: { ...changed.graph, staleShapes: true } });
  const before = new Map<Node, (node: Node) => Node>();
  for (const [half, { node, added }] of sums.entries()) {
    const { attention, network } = skipIds(half >> 1);
    const id = half % 2 === 0 ? attention : network;
    before.set(node, it => {
      const skip = draft.addInitializer(`${id}.weight`, turned(edit.skips[half]!));
      const turnedState = draft.emit('MatMul', [added, skip], `/${id}/MatMul_output_0`);
      return renamed(it, added, turnedState);
    });
  }
  for (const node of decoders)
    before.set(node, it => {
      const through = draft.addInitializer('decoder.projection.weight', turned(edit.decoder!));
      const [read = '', ...rest] = it.inputs;
      return withInputs(it, [draft.emit('MatMul', [read, through], `${read}_narrow`), ...rest]);
    });
  for (const [node, shape] of shapes)
    before.set(node, it => withInputs(it, it.inputs.with(1, draft.addInitializer(it.inputs[1]!, shape(edit.hidden)))));
  for (const node of changed.graph.nodes) {
    const next = before.get(node)?.(node) ?? node;
    if (!next.outputs.includes(last)) draft.push(next);
    else widen(draft, next, last, edit);
  }
  return tidy(model, draft.finish());
}

const renamed = (node: Node, from: string, to: string): Node =>
  withInputs(
    node,
    node.inputs.map(name => (name === from ? to : name)),
  );

function widen(draft: Draft, node: Node, last: string, { widening }: RemoveHiddenEdit): void {
  const narrow = draft.freshValue(`${last}_narrow`);
  draft.push(
    withOutputs(
      node,
      node.outputs.map(name => (name === last ? narrow : name)),
    ),
  );
  const weight = draft.addInitializer(`${wideningId}.weight`, turned(widening.weight));
  const bias = draft.addInitializer(`${wideningId}.bias`, widening.bias);
  const product = draft.emit('MatMul', [narrow, weight], `/${wideningId}/MatMul_output_0`);
  draft.define('Add', [product, bias], last);
}

/** Products with the table of words itself. */
function decodersOf(model: GraphModel, { tables }: Anatomy): Set<Node> {
  const uses = usesOfConstants(model).get(tables[0]?.weight.name ?? '') ?? [];
  return new Set(uses.flatMap(({ node, kind }) => (kind === 'matmul' || kind === 'gemm' ? [node] : [])));
}

/** Reshapes of hidden states whose shape names their size: all that stand outside the heads, where as many numbers are those of the heads. */
async function shapesOf(model: GraphModel, anatomy: Anatomy): Promise<Map<Node, (size: number) => ReturnType<typeof held>>> {
  const readers = new Map<string, Node[]>();
  for (const node of model.graph.nodes) for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  const within = new Set(anatomy.layers.flatMap(layer => [...insideHeads(layer, readers)]));
  const above = nodesBehind(taps(model, anatomy).layers.at(-1)?.output ?? '', readers);
  const found = new Map<Node, (size: number) => ReturnType<typeof held>>();
  for (const node of model.graph.nodes) {
    const shape =
      node.opType === 'Reshape' && !within.has(node) && !above.has(node) ? model.tensors.get(node.inputs[1] ?? '') : undefined;
    if (shape?.dtype !== 'int64' || shape.shape.length !== 1) continue;
    const sizes = [...new BigInt64Array((await shape.bytes()).slice().buffer)];
    if (Number(sizes.at(-1)) !== anatomy.hidden) continue;
    found.set(node, size => held(shape.name, 'int64', shape.shape, BigInt64Array.from([...sizes.slice(0, -1), BigInt(size)])));
  }
  return found;
}

function insideHeads({ query, key, value, output }: Layer, readers: ReadonlyMap<string, readonly Node[]>): Set<Node> {
  const ends = new Set(output.nodes);
  const found = new Set<Node>();
  const waiting = [query, key, value].flatMap(({ nodes }) => nodes);
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (found.has(node) || ends.has(node)) continue;
    found.add(node);
    for (const name of node.outputs) waiting.push(...(readers.get(name) ?? []));
  }
  return found;
}

function nodesBehind(value: string, readers: ReadonlyMap<string, readonly Node[]>): Set<Node> {
  const found = new Set<Node>();
  const waiting = [...(readers.get(value) ?? [])];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const name of node.outputs) waiting.push(...(readers.get(name) ?? []));
  }
  return found;
}
