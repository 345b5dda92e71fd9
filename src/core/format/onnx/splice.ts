import type { ByteSource } from '../../bytes/source.ts';
import type { Attribute, Graph, Node } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import { dtypeOfOnnx } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { addCopy, type Piece } from '../pieces.ts';
import type { ReadAttribute, ReadGraph } from './assemble.ts';
import {
  bytesField,
  bytesPiece,
  encodeEntries,
  encodeGraphName,
  encodeModelFields,
  encodeNodeField,
  encodeOpset,
  encodePlainAttribute,
  encodeTensor,
  encodeValueInfo,
  externalFields,
  fieldHeader,
  messageField,
  tensorHead,
} from './encode.ts';
import { fieldsWithin } from './fields.ts';
import { otherValues } from './other-values.ts';
import { OnnxTensor } from './tensor.ts';
import type { NodeOrigin, Run, WireGraph, WireModel, WireValueInfo } from './wire-types.ts';

/** Where the data of a tensor goes: into the model file, or to bytes [offset, offset + length) of a file beside it. */
export type Placement = (tensor: Tensor) => { readonly location: string; readonly offset: number } | undefined;

/** Puts a changed model together: copies of what was not changed, new bytes for what was. */
export class Splice {
  readonly #model: Model;
  readonly #source: ByteSource;
  readonly #place: Placement;
  readonly #read: Model;

  constructor(model: Model, read: Model, source: ByteSource, place: Placement) {
    this.#model = model;
    this.#read = read;
    this.#source = source;
    this.#place = place;
  }

  /** ModelProto: fields in the order of the file; what the file did not have follows at the end. */
  async model(wire: WireModel): Promise<Piece[]> {
    const graph = this.#model.graph!;
    const before = this.#read.graph!;
    const replaced = new Map<number, () => Promise<Piece[]> | Piece[]>();
    if (graph.irVersion !== before.irVersion)
      replaced.set(1, () => [bytesPiece(encodeModelFields({ irVersion: graph.irVersion }))]);
    if (graph.producer !== before.producer) {
      replaced.set(2, () => [bytesPiece(encodeModelFields({ producerName: graph.producer }))]);
      replaced.set(3, () => []);
    }
    if (!sameMap(graph.opsets, before.opsets))
      replaced.set(8, () => [...graph.opsets].flatMap(([domain, version]) => bytesField(8, encodeOpset(domain, version))));
    if (this.#model.metadata !== this.#read.metadata) replaced.set(14, () => this.#metadata(wire));
    replaced.set(7, async () => messageField(7, await this.graph(graph, before)));
    return this.#runs(wire.runs, replaced);
  }

  #metadata(wire: WireModel): Piece[] {
    const pieces: Piece[] = [];
    const spans = new Map(wire.metadata.map(([key], i) => [key, wire.metadataSpans[i]!]));
    for (const [key, value] of Object.entries(this.#model.metadata)) {
      const span = this.#read.metadata[key] === value ? spans.get(key) : undefined;
      if (span) addCopy(pieces, this.#source, span.start, span.end);
      else pieces.push(bytesPiece(encodeEntries(14, [[key, value]])));
    }
    return pieces;
  }

  /** GraphProto. `before` is the graph as it was read, none for a new one. */
  async graph(graph: Graph, before?: Graph): Promise<Piece[]> {
    const wire = (graph as ReadGraph).wire ?? (before as ReadGraph | undefined)?.wire;
    const replaced = new Map<number, () => Promise<Piece[]> | Piece[]>();
    if (graph.nodes !== before?.nodes) replaced.set(1, () => this.#nodes(graph.nodes));
    if (graph.name !== before?.name) replaced.set(2, () => [bytesPiece(encodeGraphName(graph.name))]);
    replaced.set(5, () => this.#initializers(graph, wire));
    if (graph.inputs !== before?.inputs) replaced.set(11, () => this.#values(11, graph.inputs));
    if (graph.outputs !== before?.outputs) replaced.set(12, () => this.#values(12, graph.outputs));
    const stale = graph.staleShapes;
    if (stale) replaced.set(13, () => (stale === true ? [] : otherValues(this.#source, wire?.runs ?? [], stale)));
    return this.#runs(wire?.runs ?? [], replaced);
  }

  async #runs(runs: readonly Run[], replaced: ReadonlyMap<number, () => Promise<Piece[]> | Piece[]>): Promise<Piece[]> {
    const pieces: Piece[] = [];
    const done = new Set<number>();
    for (const run of runs) {
      const make = replaced.get(run.number);
      if (!make) addCopy(pieces, this.#source, run.start, run.end);
      else if (!done.has(run.number)) append(pieces, await make());
      if (make) done.add(run.number);
    }
    for (const [number, make] of replaced) if (!done.has(number)) append(pieces, await make());
    return pieces;
  }

  #values(number: number, values: Graph['inputs']): Piece[] {
    const pieces: Piece[] = [];
    for (const value of values) {
      const { start, end } = value as Partial<WireValueInfo>;
      const isAsRead = start !== undefined && [...this.#read.graph!.inputs, ...this.#read.graph!.outputs].includes(value);
      if (isAsRead) addCopy(pieces, this.#source, start, end!);
      else append(pieces, bytesField(number, encodeValueInfo(value)));
    }
    return pieces;
  }

  async #nodes(nodes: readonly Node[]): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const node of nodes) {
      const origin = node.origin as NodeOrigin | undefined;
      if (origin?.source !== this.#source) append(pieces, messageField(1, await this.#newNode(node)));
      else if (origin.node === node) addCopy(pieces, this.#source, origin.start, origin.end);
      else append(pieces, messageField(1, await this.#changedNode(node, origin)));
    }
    return pieces;
  }

  async #newNode(node: Node): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const field of ['inputs', 'outputs', 'name', 'opType'] as const) pieces.push(bytesPiece(encodeNodeField(node, field)));
    append(pieces, await this.#attributes(node));
    for (const field of ['domain', 'metadata'] as const) pieces.push(bytesPiece(encodeNodeField(node, field)));
    return pieces;
  }

  /** Fields that are not what was read are written anew; the others, known or not, are copied. */
  async #changedNode(node: Node, origin: NodeOrigin): Promise<Piece[]> {
    const replaced = new Map<number, () => Promise<Piece[]> | Piece[]>();
    for (const [field, number] of Object.entries(nodeFields) as [keyof typeof nodeFields, number][])
      if (node[field] !== origin.node?.[field])
        replaced.set(number, () =>
          field === 'attributes' ? this.#attributes(node) : [bytesPiece(encodeNodeField(node, field))],
        );
    return this.#runs(await fieldsWithin(this.#source, origin.start, origin.end), replaced);
  }

  async #attributes(node: Node): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const [name, attribute] of node.attributes) {
      const { origin } = attribute as ReadAttribute;
      if (origin?.attribute === attribute && origin.source === this.#source) {
        pieces.push(bytesPiece(fieldHeader(5, origin.end - origin.start)));
        addCopy(pieces, this.#source, origin.start, origin.end);
      } else append(pieces, messageField(5, await this.#newAttribute(name, attribute)));
    }
    return pieces;
  }

  async #newAttribute(name: string, attribute: Attribute): Promise<Piece[]> {
    if (attribute.type !== 'tensor' && attribute.type !== 'graph') return [bytesPiece(encodePlainAttribute(name, attribute))];
    const named = bytesField(1, Buffer.from(name));
    const typed = bytesPiece(Uint8Array.of(0xa0, 0x01, attribute.type === 'tensor' ? 4 : 5));
    const content =
      attribute.type === 'tensor'
        ? messageField(5, encodeTensor(attribute.value, ''))
        : messageField(6, await this.graph(attribute.value, undefined));
    return [...named, ...content, typed];
  }

  async #initializers(graph: Graph, wire: WireGraph | undefined): Promise<Piece[]> {
    const pieces: Piece[] = [];
    const asRead = new Set(wire?.initializers);
    for (const name of graph.initializers) {
      const tensor = this.#model.tensors.get(name);
      if (!tensor) throw new RangeError(`the graph lists ${name}, which the model does not have`);
      const isAsRead = tensor instanceof OnnxTensor && tensor.name === name && asRead.has(tensor.wire);
      const local = name.slice((graph.scope ?? '').length);
      append(pieces, isAsRead ? await this.#keptTensor(tensor, name) : this.#newTensor(tensor, local));
    }
    // Types that are not known here are not shown, and not lost either.
    for (const tensor of asRead)
      if (dtypeOfOnnx(tensor.dataType) === undefined) addCopy(pieces, this.#source, tensor.start, tensor.end);
    return pieces;
  }

  #newTensor(tensor: Tensor, local: string): Piece[] {
    const placed = this.#place(tensor);
    if (!placed) return messageField(5, encodeTensor(tensor, local));
    const fields = externalFields(placed.location, placed.offset, tensor.byteLength);
    return messageField(5, [bytesPiece(tensorHead(tensor, local)), bytesPiece(fields)]);
  }

  /** As it lies in the file if its data stays where it is; otherwise everything but the data is copied. */
  async #keptTensor(tensor: OnnxTensor, name: string): Promise<Piece[]> {
    const placed = this.#place(tensor);
    const { start, end } = tensor.wire;
    if (!placed && !tensor.isExternal) return [{ kind: 'copy', source: this.#source, start, end, what: name }];
    const content: Piece[] = [];
    for (const run of await fieldsWithin(this.#source, start, end))
      if (!dataFields.has(run.number)) addCopy(content, this.#source, run.start, run.end);
    if (placed) content.push(bytesPiece(externalFields(placed.location, placed.offset, tensor.byteLength)));
    else content.push(bytesPiece(fieldHeader(9, tensor.byteLength)), { kind: 'tensor', tensor });
    return messageField(5, content);
  }
}

/** The fields of TensorProto that hold data or say where it is: typed fields, raw_data, external_data, data_location. */
const dataFields: ReadonlySet<number> = new Set([4, 5, 6, 7, 9, 10, 11, 13, 14]);

const nodeFields = { inputs: 1, outputs: 2, name: 3, opType: 4, attributes: 5, domain: 7, metadata: 9 } as const;

function append<T>(to: T[], more: readonly T[]): void {
  for (const one of more) to.push(one);
}

function sameMap<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}
