import type { ByteSource } from '../../bytes/source.ts';
import { fail, sentence } from '../../errors.ts';
import type { Attribute, Graph, LocalFunction, Node } from '../../model/graph.ts';
import type { Model, Warning } from '../../model/model.ts';
import { UniqueNames } from '../../model/unique-names.ts';
import { dtypeOfOnnx } from '../../tensor/dtype.ts';
import { packedByteLength, type Tensor } from '../../tensor/tensor.ts';
import type { ConfigFile } from '../config.ts';
import { checkShape, type Origin, type Span, shownShape } from '../stored.ts';
import { constantOf, plainAttribute } from './attributes.ts';
import type { ExternalFiles } from './external.ts';
import { partsOf } from './parts.ts';
import { type ConstantTensor, OnnxTensor } from './tensor.ts';
import type { WireAttribute, WireFunction, WireGraph, WireModel, WireNode, WireTensor } from './wire-types.ts';

/** What the writer splices from. */
export interface OnnxOrigin extends Origin {
  readonly source: ByteSource;
  readonly wire: WireModel;
  /** Files with data, by the location the model gives. */
  readonly external: ReadonlyMap<string, ByteSource>;
  /** Tensors that are copied with what holds them: those of nodes, of graphs within nodes, and sparse ones. */
  readonly embedded: readonly OnnxTensor[];
}

/** Content of an attribute's message, and the attribute as it was read. */
export interface AttributeOrigin extends Span {
  readonly source: ByteSource;
  attribute: Attribute;
}

export type ReadAttribute = Attribute & { readonly origin?: AttributeOrigin };
export type ReadGraph = Graph & { readonly wire?: WireGraph };

const needsWait = ({ tensor, graph, loose, graphs }: WireAttribute): boolean =>
  tensor !== undefined || graph !== undefined || loose.length > 0 || graphs.length > 0;

const noAttributes: ReadonlyMap<string, Attribute> = new Map();
const noMetadata: Readonly<Record<string, string>> = Object.freeze({});

/** Makes a Model of what was found in the file. */
export class Assembly {
  readonly #source: ByteSource;
  readonly #external: ExternalFiles;
  readonly #tensors = new Map<string, Tensor>();
  readonly #names = new UniqueNames(name => this.#tensors.has(name));
  readonly #scopes = new UniqueNames();
  readonly #warnings: Warning[] = [];
  readonly #embedded: OnnxTensor[] = [];
  #withoutData = 0;
  #firstWithoutData: string | undefined;
  /** Bytes of tensors in the file itself. */
  #tensorBytes = 0;
  #signal: AbortSignal | undefined;

  constructor(source: ByteSource, external: ExternalFiles) {
    this.#source = source;
    this.#external = external;
  }

  async model(wire: WireModel, { config, warnings }: ConfigFile, signal?: AbortSignal): Promise<Model> {
    this.#signal = signal;
    const graph = await this.#rootGraph(wire);
    const functions: LocalFunction[] = [];
    for (const local of wire.functions) functions.push(await this.#function(local));
    Object.assign(graph, { functions });
    for (const training of wire.training) await this.#graph(training, this.#scope('training/'));
    if (this.#withoutData > 0)
      this.#warnings.push({
        code: 'no-data',
        message: sentence('{count} tensors have a shape but no data in this file. The first is “{name}”.', {
          count: this.#withoutData,
          name: this.#firstWithoutData ?? '',
        }),
      });
    const sources = [this.#source, ...this.#external.sources];
    const parts = partsOf(wire, this.#tensorBytes, sources);
    const origin: OnnxOrigin = {
      sources,
      source: this.#source,
      wire,
      external: this.#external.byLocation,
      embedded: this.#embedded,
    };
    const model: Model = {
      format: 'onnx',
      name: this.#source.name,
      byteLength: sources.reduce((sum, source) => sum + source.byteLength, 0),
      parts,
      tensors: this.#tensors,
      graph,
      config,
      metadata: Object.fromEntries(wire.metadata),
      complete: true,
      warnings: [...warnings, ...this.#warnings],
      origin,
    };
    origin.model = model;
    return model;
  }

  async #rootGraph(wire: WireModel): Promise<Graph> {
    const empty: WireGraph = { name: '', nodes: [], initializers: [], sparse: [], inputs: [], outputs: [], runs: [] };
    const graph = await this.#graph(wire.graph ?? empty, '');
    return Object.assign(graph, {
      opsets: new Map(wire.opsets),
      irVersion: wire.irVersion,
      producer: [wire.producer, wire.producerVersion].filter(part => part !== '').join(' '),
    });
  }

  async #function({ domain, name, inputs, outputs, defaults, nodes: wire }: WireFunction): Promise<LocalFunction> {
    const scope = this.#scope(`${domain}::${name}/`);
    for (const node of wire) await this.#node(node, scope);
    const nodes = wire as unknown as readonly Node[];
    return {
      domain,
      name,
      scope,
      inputs,
      outputs,
      nodes,
      defaults: new Map(defaults.map(each => [each.name, plainAttribute(each)])),
    };
  }

  async #graph(wire: WireGraph, scope: string): Promise<ReadGraph> {
    const initializers: string[] = [];
    for (const tensor of wire.initializers) {
      const located = scope === '' ? this.#located(tensor) : this.#tensor(tensor);
      const added = this.#add(located instanceof Promise ? await located : located, scope + tensor.name);
      if (added) initializers.push(added);
    }
    for (const { values, indices } of wire.sparse) {
      if (values) this.#add(await this.#tensor(values), scope + values.name);
      if (indices) this.#add(await this.#tensor(indices), `${scope}${values?.name ?? ''}/indices`);
    }
    for (const node of wire.nodes) {
      // Only nodes with tensors or graphs have to wait for anything.
      if (node.attributes.length > 0 && node.attributes.some(needsWait)) await this.#node(node, scope);
      else this.#simpleNode(node, scope, undefined);
    }
    const nodes = wire.nodes as unknown as readonly Node[];
    const { name, inputs, outputs } = wire;
    const graph = { name, inputs, outputs, nodes, initializers, opsets: new Map(), irVersion: 0, producer: '', functions: [] };
    return Object.assign(graph, scope === '' ? { wire } : { wire, scope });
  }

  /** Adds a tensor under a name that no other has, and returns the name. */
  #add(tensor: OnnxTensor | ConstantTensor | undefined, wanted: string): string | undefined {
    if (!tensor) return undefined;
    const name = this.#names.unique(wanted);
    tensor.name = name;
    this.#tensors.set(name, tensor);
    return name;
  }

  #scope(wanted: string): string {
    return this.#scopes.unique(wanted, (scope, count) => scope.replace(/\/$/, ` (${count})/`));
  }

  async #node(wire: WireNode, scope: string): Promise<Node> {
    const values = new Map<WireAttribute, Attribute>();
    for (const attribute of wire.attributes) {
      if (attribute.tensor) {
        const tensor = await this.#tensor(attribute.tensor);
        if (tensor) values.set(attribute, { type: 'tensor', value: tensor });
        this.#add(
          tensor,
          scope +
            (wire.opType === 'Constant' && wire.outputs[0]
              ? wire.outputs[0]
              : `${wire.name || wire.outputs[0] || wire.opType}.${attribute.name}`),
        );
      } else if (attribute.graph) {
        const graph = await this.#graph(attribute.graph, this.#scope(`${scope}${attribute.name}/`));
        values.set(attribute, { type: 'graph', value: graph });
      }
      for (const tensor of attribute.loose)
        this.#add(await this.#tensor(tensor), `${scope}${wire.outputs[0] || wire.name}.${attribute.name}`);
      for (const graph of attribute.graphs) await this.#graph(graph, this.#scope(`${scope}${attribute.name}/`));
    }
    return this.#simpleNode(wire, scope, values);
  }

  #simpleNode(wire: WireNode, scope: string, values: ReadonlyMap<WireAttribute, Attribute> | undefined): Node {
    const { opType, outputs, origin: place } = wire;
    const attributes = wire.attributes.length === 0 ? noAttributes : new Map<string, Attribute>();
    for (const attribute of wire.attributes) {
      const origin = { source: this.#source, start: attribute.start, end: attribute.end } as AttributeOrigin;
      const value: ReadAttribute = { ...(values?.get(attribute) ?? plainAttribute(attribute)), origin };
      origin.attribute = value;
      (attributes as Map<string, Attribute>).set(attribute.name, value);
      if (opType === 'Constant' && outputs[0]) this.#add(constantOf(attribute, value, outputs[0]), scope + outputs[0]);
    }
    const metadata = wire.metadata.length === 0 ? noMetadata : Object.fromEntries(wire.metadata);
    const node = Object.assign(wire as unknown as Node, { attributes, metadata });
    place.source = this.#source;
    place.node = node;
    return node;
  }

  /** A tensor that is copied with what holds it. */
  async #tensor(wire: WireTensor): Promise<OnnxTensor | undefined> {
    const tensor = await this.#located(wire);
    if (tensor) this.#embedded.push(tensor);
    return tensor;
  }

  /** Numbers take a byte at least and hold eight at most; their exact count shows when they are read. No data at all is allowed. */
  #checkTyped(wire: WireTensor, need: number, typed: number): void {
    if (typed === 0) {
      this.#withoutData++;
      this.#firstWithoutData ??= wire.name;
    } else if (need > typed * 8)
      throw fail(
        'malformed',
        'The tensor “{name}” needs {need} bytes, more than its data can hold.',
        { name: wire.name, need },
        { file: this.#source.name, offset: wire.start },
      );
  }

  /** Waits only for data in another file: a graph may have 50,000 initializers. */
  #located(wire: WireTensor): OnnxTensor | undefined | Promise<OnnxTensor> {
    if (wire.raw) this.#tensorBytes += wire.raw.end - wire.raw.start;
    for (const run of wire.typed) this.#tensorBytes += run.end - run.start;
    const dtype = dtypeOfOnnx(wire.dataType);
    if (!dtype) {
      this.#warnings.push({
        code: 'unknown-dtype',
        message: sentence('The tensor “{name}” has the unknown type {code} and is not shown.', {
          name: wire.name,
          code: wire.dataType,
        }),
      });
      return undefined;
    }
    checkShape(wire.name, wire.dims, dtype, this.#source, wire.start);
    if (wire.isExternal)
      return this.#external
        .find(wire, dtype, wire.dims, this.#signal)
        .then(place => new OnnxTensor(wire, dtype, this.#source, place));
    const need = packedByteLength(dtype, wire.dims);
    const found = wire.raw ? wire.raw.end - wire.raw.start : 0;
    if (found > 0 && found !== need && dtype !== 'string')
      throw fail(
        'malformed',
        'The tensor “{name}” of {dtype} {shape} needs {need} bytes, but has {found}.',
        { name: wire.name, dtype, shape: shownShape(wire.dims), need, found },
        { file: this.#source.name, offset: wire.start },
      );
    const typed = wire.typed.reduce((sum, run) => sum + run.end - run.start, 0);
    if (found === 0 && need > 0) this.#checkTyped(wire, need, typed);
    return new OnnxTensor(wire, dtype, this.#source);
  }
}
