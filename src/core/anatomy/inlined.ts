import type { Attribute, Graph, LocalFunction, Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Nodes of calls and inner graphs that are looked into, and calls: functions that call each other can ask for any number. */
const mostNodes = 300_000;
const mostCalls = 30_000;

/** Calls and subgraphs within each other. */
const deepest = 64;

type Tensors = ReadonlyMap<string, Tensor>;
type Rename = (value: string) => string;

interface Inlined {
  readonly graph: Graph;
  readonly tensors: Tensors;
}

/**
 * The graph as if the nodes of its functions and of the graphs within If, Loop and Scan stood in it: for reading only, since values get
 * names that the file does not have, and a loop runs once. A function that calls itself is left as it is. Constants of functions and
 * inner graphs are found under their new names too. The same graph when it has neither.
 */
export function inlined(graph: Graph, tensors: Tensors): Inlined {
  if (graph.functions.length === 0 && !graph.nodes.some(holdsGraphs)) return { graph, tensors };
  const inliner = new Inliner(graph, tensors);
  inliner.add(graph.nodes, name => name, []);
  return { graph: { ...graph, nodes: inliner.nodes }, tensors: inliner.tensors };
}

const controls = new Set(['If', 'Loop', 'Scan']);
const holdsGraphs = ({ opType }: Node): boolean => controls.has(opType);
const keyOf = ({ domain, name }: LocalFunction): string => `${domain}::${name}`;

class Inliner {
  readonly nodes: Node[] = [];
  readonly tensors: Map<string, Tensor>;
  private readonly given: Tensors;
  private readonly functions: ReadonlyMap<string, LocalFunction>;
  private readonly most: number;
  private calls = 0;

  constructor(graph: Graph, tensors: Tensors) {
    this.given = tensors;
    this.most = graph.nodes.length + mostNodes;
    this.tensors = new Map(tensors);
    this.functions = new Map(
      graph.functions.flatMap(each => (each.nodes && each.inputs && each.outputs ? [[keyOf(each), each]] : [])),
    );
  }

  /** `within` are the functions whose call this is part of. */
  add(nodes: readonly Node[], rename: Rename, within: readonly LocalFunction[], attributes?: Arguments): void {
    for (const each of nodes) {
      const node = attributes ? withArguments(each, attributes) : each;
      const called = this.functions.get(`${node.domain}::${node.opType}`);
      const isFull = within.length >= deepest || this.nodes.length > this.most || this.calls > mostCalls;
      if (called && !isFull && !within.includes(called)) this.call(called, node, rename, within);
      else if (holdsGraphs(node) && !isFull) this.control(node, rename, within, attributes);
      else this.nodes.push(this.renamed(node, rename, attributes !== undefined || within.length > 0));
    }
  }

  private renamed(node: Node, rename: Rename, isInner: boolean): Node {
    return isInner ? { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) } : node;
  }

  private call(called: LocalFunction, node: Node, outer: Rename, within: readonly LocalFunction[]): void {
    const prefix = this.prefix(node);
    const names = new Map<string, string>();
    called.inputs!.forEach((formal, index) => void names.set(formal, outer(node.inputs[index] ?? '')));
    this.finish(called.outputs!, node.outputs.map(outer), names);
    const rename = this.scoped(names, prefix, called.scope ?? '');
    const given = new Map([...(called.defaults ?? []), ...node.attributes]);
    this.add(called.nodes!, rename, [...within, called], given);
  }

  /** Every graph of the node; its outputs are those of the largest one. */
  private control(node: Node, outer: Rename, within: readonly LocalFunction[], attributes: Arguments | undefined): void {
    const graphs = [...node.attributes.values()].flatMap(each => (each.type === 'graph' ? each.value : []));
    const main = graphs.reduce<Graph | undefined>(
      (best, each) => (best && best.nodes.length >= each.nodes.length ? best : each),
      undefined,
    );
    if (!main) return void this.nodes.push(this.renamed(node, outer, true));
    for (const graph of graphs) {
      const prefix = this.prefix(node);
      const names = new Map<string, string>();
      const [skipped, first] = node.opType === 'Loop' ? [2, 1] : [0, 0];
      graph.inputs.forEach(({ name }, index) => {
        const actual = index < skipped ? '' : node.inputs[index];
        names.set(name, actual ? outer(actual) : prefix + name);
      });
      const own = new Set(graph.nodes.flatMap(each => each.outputs));
      const scope = graph.scope ?? '';
      const isOwn = (name: string) => own.has(name) || this.given.has(scope + name);
      const inner = this.scoped(names, prefix, scope);
      const rename: Rename = name => (names.has(name) || isOwn(name) ? inner(name) : outer(name));
      if (graph === main)
        this.finish(
          graph.outputs.slice(first).map(({ name }) => name),
          node.outputs.map(outer),
          names,
          isOwn,
        );
      this.add(graph.nodes, rename, [...within, anonymous], attributes ?? none);
      if (graph === main)
        this.hand(
          graph.outputs.slice(first).map(({ name }) => name),
          node.outputs.map(outer),
          rename,
        );
    }
  }

  /** Formal outputs get the names of the actual ones, unless they already have a name: an input that is handed out. */
  private finish(
    formal: readonly string[],
    actual: readonly string[],
    names: Map<string, string>,
    isOwn?: (name: string) => boolean,
  ): void {
    formal.forEach((name, index) => {
      const wanted = actual[index];
      if (!wanted) return;
      const known = names.get(name);
      if (known === undefined && (!isOwn || isOwn(name))) names.set(name, wanted);
      else if (!isOwn && known !== undefined) this.identity(known, wanted);
    });
  }

  /** Outputs of an inner graph that are values of another name: its inputs, or those of the graph around it. */
  private hand(formal: readonly string[], actual: readonly string[], rename: Rename): void {
    formal.forEach((name, index) => {
      const [from, to] = [rename(name), actual[index]];
      if (to && from !== to) this.identity(from, to);
    });
  }

  private identity(from: string, to: string): void {
    this.nodes.push({ opType: 'Identity', domain: '', name: '', inputs: [from], outputs: [to], attributes: none, metadata: {} });
  }

  /** Names within a call; its constants are found under them. */
  private scoped(names: Map<string, string>, prefix: string, scope: string): Rename {
    return name => {
      if (name === '') return name;
      const known = names.get(name);
      const renamed = known ?? prefix + name;
      if (known === undefined) names.set(name, renamed);
      const constant = scope === '' ? undefined : this.given.get(scope + name);
      if (constant) this.tensors.set(renamed, constant);
      return renamed;
    };
  }

  private prefix(node: Node): string {
    return `${node.name || node.opType} (${++this.calls})/`;
  }
}

type Arguments = ReadonlyMap<string, Attribute>;
const none: Arguments = new Map();

/** Stands for a graph within a node where calls within each other are counted. */
const anonymous: LocalFunction = { domain: '', name: '' };

/** The node with the attributes of the call in the places that refer to them. */
function withArguments(node: Node, given: Arguments): Node {
  const refers = [...node.attributes].some(([, each]) => each.type === 'other' && each.refers !== undefined);
  if (!refers) return node;
  const attributes = new Map<string, Attribute>();
  for (const [name, each] of node.attributes) {
    const value = each.type === 'other' && each.refers !== undefined ? given.get(each.refers) : each;
    if (value) attributes.set(name, value);
  }
  return { ...node, attributes };
}
