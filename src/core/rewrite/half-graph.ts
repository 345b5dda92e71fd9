import { fail } from '../errors.ts';
import type { Attribute, Node } from '../model/graph.ts';
import { withAttributes, withInputs, withOutputs } from '../model/graph-edit.ts';
import { capturedBy } from '../model/reads.ts';
import { topological } from '../model/topological.ts';
import { named } from '../passes/computed.ts';
import { type DType, dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel, int } from './draft.ts';
import { halfOf } from './half-constant.ts';
import { tidy } from './tidy.ts';
import { wideNodes } from './wide-nodes.ts';
import { isWide, wideValues } from './wide-values.ts';

/**
 * A graph that computes in fp16. `tensors` are its constants that become fp16. Inputs and outputs keep their types, with Casts behind
 * and in front of them. Operators that lose too much, or that have no fp16 form, go on in fp32 between Casts, as in onnxruntime's
 * float16 converter; norms that are written out are among them as a whole.
 */
export function halveGraph(model: GraphModel, tensors: ReadonlyMap<string, Tensor>): GraphModel {
  const ordered = { ...model, graph: { ...model.graph, nodes: topological(model.graph.nodes) } };
  const wide = wideValues(ordered);
  if (!wide) throw fail('unsupported', 'The types of the values of this graph cannot be told.', undefined, { file: model.name });
  const rewritten = new HalfRewriter(ordered, tensors, wide).run();
  return tidy(model, { ...rewritten, graph: { ...rewritten.graph, staleShapes: true } });
}

class HalfRewriter {
  private readonly draft: Draft;
  private readonly model: GraphModel;
  private readonly tensors: ReadonlyMap<string, Tensor>;
  private readonly wide: ReadonlySet<string>;
  private readonly wideNodes: ReadonlySet<Node>;
  /** Values whose own name must stay that of their wide form. */
  private readonly fixed: Set<string>;
  /** Name of each value in fp16, and of each in its own type, as far as there is one yet. */
  private readonly halves = new Map<string, string>();
  private readonly full = new Map<string, string>();
  /** Values that are still made as they were. */
  private readonly untouched = new Set<string>();

  constructor(model: GraphModel, tensors: ReadonlyMap<string, Tensor>, wide: ReadonlySet<string>) {
    this.model = model;
    this.tensors = tensors;
    this.wide = wide;
    this.draft = new Draft(model);
    const { graph } = model;
    const kept = [...wide].filter(name => model.tensors.has(name) && !tensors.has(name));
    this.wideNodes = wideNodes(model, wide, new Set(kept));
    const captured = graph.nodes.flatMap(node => [...capturedBy(node)]);
    const constants = new Set(graph.initializers);
    const inputs = graph.inputs.map(({ name }) => name).filter(name => !constants.has(name));
    this.fixed = new Set([...inputs, ...graph.outputs.map(({ name }) => name), ...captured]);
  }

  run(): GraphModel {
    const { graph } = this.model;
    const constants = new Set(graph.initializers);
    for (const { name, dtype } of graph.inputs) if (this.wide.has(name) && !constants.has(name)) this.given(name, dtype);
    for (const name of graph.initializers) if (this.wide.has(name)) this.constant(name);
    for (const node of graph.nodes) this.rewrite(node);
    for (const { name } of graph.outputs) if (this.wide.has(name)) this.leave(name);
    const made = this.draft.finish();
    const gone = new Set([...this.tensors.keys()].filter(name => this.halves.get(name) !== name || !constants.has(name)));
    return this.withConstants(made, gone);
  }

  /** Halves under the names they took; constants that nodes held are initializers now. */
  private withConstants(made: GraphModel, moved: ReadonlySet<string>): GraphModel {
    const tensors = new Map<string, Tensor>();
    for (const [name, tensor] of made.tensors) {
      if (!moved.has(name)) tensors.set(name, this.tensors.has(name) ? named(this.tensors.get(name)!, name) : tensor);
    }
    const initializers = made.graph.initializers.filter(name => !moved.has(name));
    const inputs = made.graph.inputs.filter(({ name }) => !this.tensors.has(name));
    return { ...made, tensors, graph: { ...made.graph, initializers, inputs } };
  }

  /** A wide value that is there from the start. Within the graph there are 16 and 32 bits only. */
  private given(name: string, dtype: DType | undefined): void {
    const full = dtype === 'fp64' ? this.draft.emit('Cast', [name], `${name}_fp32`, FP32) : name;
    this.full.set(name, full);
    this.untouched.add(name);
  }

  /** A constant of the graph that is wide. */
  private constant(name: string): void {
    const half = this.tensors.get(name);
    if (!half) this.given(name, this.model.tensors.get(name)!.dtype);
    else if (this.fixed.has(name) || !this.model.graph.initializers.includes(name))
      this.halves.set(name, this.draft.addInitializer(`${name}_fp16`, half, name));
    else this.halves.set(name, name);
    if (half && this.fixed.has(name)) this.asFull(name);
  }

  private rewrite(node: Node): void {
    if (node.opType === 'Constant' && this.wide.has(node.outputs[0]!)) {
      if (!this.tensors.has(node.outputs[0]!)) this.draft.push(node);
      this.constant(node.outputs[0]!);
      return;
    }
    const stays = this.wideNodes.has(node);
    const touches = [...node.inputs, ...node.outputs].some(name => this.wide.has(name));
    if (!touches) {
      this.draft.push(node);
      return;
    }
    const inputs = node.inputs.map(name => (this.wide.has(name) ? (stays ? this.asFull(name) : this.asHalf(name)) : name));
    const outputs = node.outputs.map(name => (this.wide.has(name) ? this.made(name, stays) : name));
    const changed = same(inputs, node.inputs) ? node : withInputs(node, inputs);
    const moved = same(outputs, node.outputs) ? changed : withOutputs(changed, outputs);
    this.draft.push(stays ? inSingle(moved) : inHalf(moved));
    for (const name of node.outputs) if (this.wide.has(name) && this.fixed.has(name)) this.asFull(name);
  }

  /** The name under which a node gives a wide value from now on. */
  private made(name: string, stays: boolean): string {
    if (stays) {
      const full = this.leavesAs64(name) ? this.draft.freshValue(`${name}_fp32`) : name;
      this.full.set(name, full);
      return full;
    }
    const half = this.fixed.has(name) ? this.draft.freshValue(`${name}_fp16`) : name;
    this.halves.set(name, half);
    return half;
  }

  private asHalf(name: string): string {
    const known = this.halves.get(name);
    if (known !== undefined) return known;
    const made = this.draft.emit('Cast', [this.full.get(name) ?? name], `${name}_fp16`, FP16);
    this.halves.set(name, made);
    return made;
  }

  private asFull(name: string): string {
    const known = this.full.get(name);
    if (known !== undefined) return known;
    const isFixed = this.fixed.has(name) && !this.leavesAs64(name);
    const half = this.halves.get(name) ?? name;
    if (isFixed) this.draft.define('Cast', [half], name, FP32);
    const made = isFixed ? name : this.draft.emit('Cast', [half], `${name}_fp32`, FP32);
    this.full.set(name, made);
    return made;
  }

  /** What leaves the graph has the type it had. */
  private leave(name: string): void {
    if (this.untouched.has(name)) return;
    const full = this.asFull(name);
    if (this.leavesAs64(name) && full !== name) this.draft.define('Cast', [full], name, FP64);
  }

  private leavesAs64(name: string): boolean {
    return this.model.graph.outputs.some(it => it.name === name && it.dtype === 'fp64');
  }
}

const to = (dtype: DType): Readonly<Record<string, Attribute>> => ({ to: int(dtypes[dtype].onnx!) });
const [FP16, FP32, FP64] = [to('fp16'), to('fp32'), to('fp64')];
const same = (a: readonly string[], b: readonly string[]): boolean => a.every((name, i) => name === b[i]);

/** Attributes that name a type, or hold a number of it. */
function inHalf(node: Node): Node {
  const changes: Record<string, Attribute> = {};
  const to = node.attributes.get('to');
  if (node.opType === 'Cast' && to?.type === 'int') Object.assign(changes, FP16);
  const value = node.attributes.get('value');
  if (node.opType === 'ConstantOfShape') {
    if (value?.type === 'tensor' && isWide(value.value.dtype)) changes.value = { type: 'tensor', value: halfOf(value.value) };
    else if (!value) changes.value = { type: 'tensor', value: halfOf(undefined) };
  }
  return Object.keys(changes).length > 0 ? withAttributes(node, changes) : node;
}

/** 64 bits become 32. */
function inSingle(node: Node): Node {
  const to = node.attributes.get('to');
  return node.opType === 'Cast' && to?.type === 'int' && to.value === dtypes.fp64.onnx ? withAttributes(node, FP32) : node;
}
