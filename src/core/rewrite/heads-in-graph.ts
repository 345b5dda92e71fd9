import type { Anatomy, Layer } from '../anatomy/anatomy.ts';
import { sentence } from '../errors.ts';
import type { Attribute, Node } from '../model/graph.ts';
import { withAttributes, withInputs } from '../model/graph-edit.ts';
import { held } from '../passes/computed.ts';
import { cannot } from '../passes/prune/prunable.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel } from './draft.ts';
import type { FewerHeads } from './remove-heads.ts';
import { headPlace, renumbered } from './split-shape.ts';

/** What a layer's graph says of its heads, and what it is to say. */
export interface HeadCount {
  readonly before: number;
  readonly after: number;
  readonly width: number;
}

/**
 * The graph of each layer splits its matrices into heads by numbers (shapes of Reshape, attributes of fused operators): they are
 * rewritten between query, key, value and the output projection. Numbers that several layers share become one for each.
 * throws 'unsupported' where nothing of that kind is found
 */
export async function fewerHeadsInGraph(model: GraphModel, anatomy: Anatomy, fewer: readonly FewerHeads[]): Promise<GraphModel> {
  const producers = new Map<string, Node>();
  const readers = new Map<string, Node[]>();
  for (const node of model.graph.nodes) {
    for (const name of node.outputs) producers.set(name, node);
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const draft = new Draft(model);
  const rewriter = new Rewriter(model, draft, producers);
  const changed = new Map<Node, Node>();
  for (const { layer, kept } of fewer) {
    const heads: HeadCount = { before: layer.heads, after: kept, width: layer.headDim };
    rewriter.splits = 0;
    for (const node of between(layer, occurrence(anatomy, layer), readers)) {
      const next = await rewriter.node(node, heads);
      if (next) changed.set(node, next);
    }
    if (rewriter.splits === 0)
      throw cannot(
        model,
        sentence('How layer {layer} of this graph splits into heads is not understood.', { layer: layer.index }),
      );
  }
  for (const node of model.graph.nodes) {
    for (const made of rewriter.before.get(node) ?? []) draft.push(made);
    draft.push(changed.get(node) ?? node);
  }
  return draft.finish();
}

/** Which run of a shared layer this is: its linears have a node for each. */
const occurrence = ({ layers }: Anatomy, layer: Layer): number =>
  layers.filter(({ stored, index }) => stored === layer.stored && index < layer.index).length;

/** Nodes from the products of query, key and value to that of the output projection, fused attention among them. */
function between({ query, key, value, output }: Layer, run: number, readers: ReadonlyMap<string, readonly Node[]>): Set<Node> {
  const starts = [query, key, value].map(({ nodes }) => nodes[run] ?? nodes[0]!);
  const ends = new Set(output.nodes);
  const found = new Set<Node>();
  const waiting = [...starts];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (found.has(node) || ends.has(node)) continue;
    found.add(node);
    for (const name of node.outputs) waiting.push(...(readers.get(name) ?? []));
  }
  return found;
}

const fused = new Set(['Attention', 'MultiHeadAttention', 'PackedAttention', 'PackedMultiHeadAttention']);

class Rewriter {
  /** Nodes made anew (shapes that are put together from numbers), by the node before which they stand. */
  readonly before = new Map<Node, Node[]>();
  /** Places found where data is split into heads, those that leave their number to be inferred among them. */
  splits = 0;
  readonly #model: GraphModel;
  readonly #draft: Draft;
  readonly #producers: ReadonlyMap<string, Node>;

  constructor(model: GraphModel, draft: Draft, producers: ReadonlyMap<string, Node>) {
    this.#model = model;
    this.#draft = draft;
    this.#producers = producers;
  }

  /** The node for the new number of heads; undefined when it does not depend on it. */
  async node(node: Node, heads: HeadCount): Promise<Node | undefined> {
    if (fused.has(node.opType)) {
      const next = fusedNode(node, heads);
      if (next) this.splits++;
      return next;
    }
    if (node.opType === 'Reshape') return this.#reshape(node, heads);
    if (node.opType === 'Split') return this.#split(node, heads);
    return undefined;
  }

  async #reshape(node: Node, heads: HeadCount): Promise<Node | undefined> {
    const shape = await this.#shape(node, node.inputs[1] ?? '', heads);
    return shape === undefined ? undefined : withInputs(node, node.inputs.with(1, shape));
  }

  /** Of a query-key-value in one: equal parts by its own output count, or parts by size. */
  async #split(node: Node, heads: HeadCount): Promise<Node | undefined> {
    const attribute = node.attributes.get('split');
    const sizes = (values: readonly number[]) =>
      values.map(value => (value === heads.before * heads.width ? heads.after * heads.width : value));
    if (attribute?.type === 'ints') {
      const next = sizes(attribute.value);
      return next.join() === attribute.value.join() ? undefined : withAttributes(node, { split: { type: 'ints', value: next } });
    }
    const stored = node.inputs[1] ? await this.#numbers(node.inputs[1]) : undefined;
    if (!stored) return undefined;
    const next = sizes(stored.values);
    if (next.join() === stored.values.join()) return undefined;
    return withInputs(node, node.inputs.with(1, this.#constant(stored.tensor, next)));
  }

  /** The name of a shape like this one for the new number of heads; undefined when it stays. */
  async #shape(node: Node, name: string, heads: HeadCount): Promise<string | undefined> {
    const whole = await this.#numbers(name);
    if (whole) {
      if (headPlace(whole.values, heads) !== undefined) this.splits++;
      const next = renumbered(whole.values, heads);
      return next && this.#constant(whole.tensor, next);
    }
    const maker = this.#producers.get(name);
    if (maker?.opType === 'Cast' || maker?.opType === 'Identity') {
      const inner = await this.#shape(node, maker.inputs[0] ?? '', heads);
      return inner && this.#again(node, maker, [inner, ...maker.inputs.slice(1)]);
    }
    if (maker?.opType !== 'Concat') return undefined;
    const parts = await Promise.all(maker.inputs.map(input => this.#single(input)));
    const place = headPlace(parts, heads);
    if (place !== undefined) this.splits++;
    const inputs = [...maker.inputs];
    let changes = 0;
    for (const [index, input] of maker.inputs.entries()) {
      const next = await this.#part(
        node,
        input,
        index === place ? 'heads' : index === parts.length - 1 ? 'last' : 'other',
        heads,
      );
      if (next === undefined) continue;
      inputs[index] = next;
      changes++;
    }
    return changes === 0 ? undefined : this.#again(node, maker, inputs);
  }

  /** One entry of a shape that is put together: a number, behind Unsqueeze, or computed from one. */
  async #part(node: Node, name: string, role: 'heads' | 'last' | 'other', heads: HeadCount): Promise<string | undefined> {
    const stored = await this.#numbers(name);
    if (stored) {
      const [value] = stored.values;
      if (stored.values.length !== 1) return undefined;
      if (role === 'heads' && value === heads.before) return this.#constant(stored.tensor, [heads.after]);
      if (role === 'last' && value === heads.before * heads.width)
        return this.#constant(stored.tensor, [heads.after * heads.width]);
      return undefined;
    }
    const maker = this.#producers.get(name);
    if (!maker) return undefined;
    // A width computed as the matrix's outputs divided by the heads, or the other way round.
    if (maker.opType === 'Div' || maker.opType === 'Mul') {
      const inputs = await Promise.all(maker.inputs.map(input => this.#part(node, input, 'heads', heads)));
      if (inputs.every(input => input === undefined)) return undefined;
      return this.#again(
        node,
        maker,
        maker.inputs.map((input, index) => inputs[index] ?? input),
      );
    }
    if (!['Unsqueeze', 'Cast', 'Identity', 'Floor', 'Squeeze'].includes(maker.opType)) return undefined;
    const inner = await this.#part(node, maker.inputs[0] ?? '', role, heads);
    return inner && this.#again(node, maker, [inner, ...maker.inputs.slice(1)]);
  }

  /** A part's number where it is stored; -2 where it is computed. */
  async #single(name: string): Promise<number> {
    for (let steps = 0, at = name; steps < 8; steps++) {
      const stored = await this.#numbers(at);
      if (stored) return stored.values.length === 1 ? stored.values[0]! : -2;
      const maker = this.#producers.get(at);
      if (!maker || !['Unsqueeze', 'Cast', 'Identity'].includes(maker.opType)) return -2;
      at = maker.inputs[0] ?? '';
    }
    return -2;
  }

  async #numbers(name: string): Promise<{ readonly tensor: Tensor; readonly values: number[] } | undefined> {
    const tensor = this.#model.tensors.get(name);
    if (!tensor || (tensor.dtype !== 'int64' && tensor.dtype !== 'int32') || tensor.byteLength > 64) return undefined;
    const bytes = (await tensor.bytes()).slice();
    const values =
      tensor.dtype === 'int64' ? Array.from(new BigInt64Array(bytes.buffer), Number) : [...new Int32Array(bytes.buffer)];
    return { tensor, values };
  }

  #constant({ name, dtype, shape }: Tensor, values: readonly number[]): string {
    const stored = dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
    return this.#draft.addInitializer(name, held(name, dtype, shape, stored));
  }

  /** The same operator on other inputs, for this node alone. */
  #again(reader: Node, node: Node, inputs: readonly string[]): string {
    const output = this.#draft.freshValue(node.outputs[0]!);
    const made = this.before.get(reader) ?? [];
    this.before.set(reader, made);
    made.push({
      opType: node.opType,
      domain: node.domain,
      name: this.#draft.freshNodeName(node.name || node.opType),
      inputs,
      outputs: [output],
      attributes: node.attributes,
      metadata: node.metadata,
    });
    return output;
  }
}

/** onnxruntime's operators hold the number of heads, and the widths where they are not the input's. */
function fusedNode(node: Node, { before, after, width }: HeadCount): Node | undefined {
  const heads = node.attributes.get('num_heads');
  if (heads?.type !== 'int' || heads.value !== before) return undefined;
  const changes: Record<string, Attribute> = { num_heads: { type: 'int', value: after } };
  if (node.opType === 'Attention')
    changes.qkv_hidden_sizes = { type: 'ints', value: [after * width, after * width, after * width] };
  return withAttributes(node, changes);
}
