import { UniqueNames } from '../model/unique-names.ts';
import type { Linear, Table, TopOrgan } from './anatomy.ts';
import type { Family } from './families/family.ts';
import { readers } from './feed-forward.ts';
import { type Anchor, type Flow, pathTo } from './flow.ts';
import { modulePath, modulePaths, topHint } from './hints.ts';
import { topRank } from './ids.ts';
import { type FoundNorm, normOn } from './norm.ts';
import { linearOf, normOf } from './organ.ts';
import type { Product } from './product.ts';

export interface TopOptions {
  readonly family: Family;
  readonly word: Table | undefined;
  /** Tensors that layers and embeddings own. */
  readonly claimed: ReadonlySet<string>;
}

/** What stands between the last hidden state and the outputs, in one order for every format. */
export function topAbove(flow: Flow, last: Anchor, options: TopOptions): TopOrgan[] {
  const reached = above(flow, last);
  const namer = new Namer(flow, last, options);
  const isAbove = new Set(reached);
  const organs: TopOrgan[] = [];
  const seen = new Set<string>();
  const addNorm = (value: string, before: string | undefined) => {
    const found = normOn(flow, pathTo(flow, value));
    const tensor = found?.weight ?? found?.bias;
    if (!found || !tensor || options.claimed.has(tensor.name) || seen.has(tensor.name)) return;
    seen.add(tensor.name);
    const id = namer.norm(found, before);
    organs.push({ id, kind: 'norm', role: roleOf(id), norm: normOf(id, found) });
  };
  const ids = new Map<Anchor, string>();
  for (const anchor of reached) {
    for (const read of anchor.reads) addNorm(read, ids.get(flow.root.get(read)!));
    if (!anchor.product || seen.has(anchor.product.weight.name)) continue;
    seen.add(anchor.product.weight.name);
    const linear = namer.linear(anchor);
    ids.set(anchor, linear.id);
    organs.push({ id: linear.id, kind: 'linear', role: roleOf(linear.id), linear });
  }
  for (const { name } of flow.wiring.graph.outputs) {
    const root = flow.root.get(name);
    if (root && (isAbove.has(root) || root === last)) addNorm(name, ids.get(root));
  }
  return organs.sort((a, b) => topRank(a.id) - topRank(b.id));
}

const roleOf = (id: string): TopOrgan['role'] => (id.startsWith('pooler') ? 'pooler' : 'head');

/** Every anchor that data of `last` reaches, in topological order. */
function above(flow: Flow, last: Anchor): Anchor[] {
  const reached = new Set<Anchor>([last]);
  for (const anchor of flow.anchors) if (anchor.from.some(source => reached.has(source))) reached.add(anchor);
  reached.delete(last);
  return [...reached];
}

/** Gives organs of the top their Hugging Face paths: the name that survived, or what the structure says. */
class Namer {
  private readonly flow: Flow;
  private readonly last: Anchor;
  private readonly options: TopOptions;
  private readonly used = new UniqueNames();

  constructor(flow: Flow, last: Anchor, options: TopOptions) {
    this.flow = flow;
    this.last = last;
    this.options = options;
  }

  linear(anchor: Anchor): Linear {
    const product = anchor.product!;
    const { weight, bias } = product;
    const own = weight.name === this.options.word?.weight.name ? undefined : weight.name;
    const hint = topHint(modulePaths(product.node, [own, bias?.name]));
    const { family, word } = this.options;
    const decodes = product.out === word?.rows && hint !== undefined && family.decoder.startsWith(`${hint}.`);
    return linearOf(this.unique(decodes ? family.decoder : (hint ?? this.byStructure(anchor, product))), [product]);
  }

  norm(found: FoundNorm, before: string | undefined): string {
    const paths = [found.weight, found.bias].flatMap(tensor => (tensor ? [modulePath(tensor.name)] : []));
    return this.unique(topHint(paths) ?? normBeside(before));
  }

  private byStructure(anchor: Anchor, { out, in: width, node }: Product): string {
    const { family, word } = this.options;
    if (out === word?.rows) return family.decoder;
    const behind = readers(anchor);
    if (behind.some(reader => reader.product?.out === word?.rows)) return family.decoder.replace(/decoder$/, 'transform.dense');
    const picks = pathTo(this.flow, anchor.reads[0]!).some(each => each.opType === 'Gather' || each.opType === 'Slice');
    if (picks && out === width && family.unpooled === undefined && this.squashes(node.outputs[0]!)) return 'pooler.dense';
    if (out === 2 && this.flow.wiring.graph.outputs.length === 2 && behind.length === 0) return 'qa_outputs';
    if (behind.length === 0) return this.embeds(anchor) ? 'linear' : 'classifier';
    return family.unpooled ?? 'pre_classifier';
  }

  /** Does it read the mean over tokens, where the tokens are an output too? Then it is the dense layer of sentence-transformers. */
  private embeds({ reads }: Anchor): boolean {
    const { root, wiring } = this.flow;
    const pools = pathTo(this.flow, reads[0]!).some(({ opType }) => opType === 'ReduceSum' || opType === 'ReduceMean');
    return pools && wiring.graph.outputs.some(({ name }) => root.get(name) === this.last);
  }

  /** Is a tanh the first thing behind the bias? */
  private squashes(value: string): boolean {
    for (let steps = 0; steps < 6; steps++) {
      const [next] = this.flow.wiring.consumers.get(value) ?? [];
      if (!next) return false;
      if (next.opType === 'Tanh') return true;
      value = next.outputs[0] ?? '';
    }
    return false;
  }

  private unique(id: string): string {
    return this.used.unique(id, (name, count) => `${name}.${count}`);
  }
}

/** "cls.predictions.transform.dense" -> "cls.predictions.transform.LayerNorm" */
const normBeside = (before: string | undefined): string =>
  before ? `${before.replace(/\.?[^.]*$/, '')}.LayerNorm`.replace(/^\./, '') : 'LayerNorm';
