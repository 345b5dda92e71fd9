import { compactParts, emitCompact } from '../anatomy/compact.ts';
import { fail } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import { held, named } from '../passes/computed.ts';
import type { CompactEdit } from '../passes/pass.ts';
import { usesOfConstants } from '../passes/uses.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import { Draft, type GraphModel } from './draft.ts';
import { tidy } from './tidy.ts';

/** A matrix as a sum of Kronecker products, or as blocks and a thin pair. throws 'unsupported' where something else than products reads it */
export function compact({ model, anatomy }: Body, edits: readonly CompactEdit[]): Model {
  return model.graph ? inGraph({ ...model, graph: model.graph }, anatomy.copies, edits) : inCheckpoint(model, edits);
}

/** X.weight becomes X.left.weight and X.right.weight, or X.blocks.weight and so on; X.bias stays. config.json says which form stands there. */
function inCheckpoint(model: Model, edits: readonly CompactEdit[]): Model {
  const parts = new Map<string, readonly Tensor[]>();
  for (const edit of edits) {
    const { name } = edit.target.weight;
    const stem = name.replace(/\.weight$/, '');
    parts.set(name, namedParts(edit, stem));
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors)
    for (const each of parts.get(name) ?? [tensor]) {
      if (each !== tensor && model.tensors.has(each.name)) throw new RangeError(`the model has a tensor ${each.name} already`);
      tensors.set(each.name, each);
    }
  const forms = Object.fromEntries(edits.map(({ target, form }) => [target.id, form]));
  const before = model.config.compact_matrices as Readonly<Record<string, unknown>> | undefined;
  return { ...model, tensors, config: { ...model.config, compact_matrices: { ...before, ...forms } } };
}

const namedParts = ({ form, parts }: CompactEdit, stem: string): Tensor[] =>
  parts.map((part, i) => named(part, `${stem}.${compactParts[form][i]}.weight`));

function inGraph(model: GraphModel, copies: ReadonlyMap<string, string>, edits: readonly CompactEdit[]): GraphModel {
  const draft = new Draft(model);
  const uses = usesOfConstants(model);
  const rewrites = new Map<Node, () => void>();
  const lists = new Map<string, string>();
  for (const edit of edits) {
    const { weight, id } = edit.target;
    const own = [weight.name, ...[...copies].flatMap(([copy, first]) => (first === weight.name ? [copy] : []))].flatMap(
      name => uses.get(name) ?? [],
    );
    if (own.some(({ kind }) => kind !== 'matmul' && kind !== 'gemm'))
      throw fail('unsupported', 'Something else than products reads the matrix {id}.', { id }, { file: model.name });
    const stem = weight.name.replace(/\.weight$/, '');
    const names = namedParts(edit, stem).map(part => draft.addInitializer(part.name, part, weight.name));
    for (const { node } of own) rewrites.set(node, () => write(draft, node, edit, names, lists));
  }
  for (const node of model.graph.nodes) {
    const rewrite = rewrites.get(node);
    if (rewrite) rewrite();
    else draft.push(node);
  }
  return tidy(model, draft.finish());
}

/** The parts' products where the one with the whole stood. What a Gemm adds is added behind them. */
function write(
  draft: Draft,
  node: Node,
  { form, parts }: CompactEdit,
  names: readonly string[],
  lists: Map<string, string>,
): void {
  const [x = '', , bias = ''] = node.inputs;
  const output = node.outputs[0]!;
  const integers = (values: readonly number[]): string => {
    const wish = `integers.${values.join('_').replaceAll('-', 'm')}`;
    const known = lists.get(wish);
    if (known) return known;
    const name = draft.addInitializer(wish, held(wish, 'int64', [values.length], BigInt64Array.from(values, BigInt)));
    lists.set(wish, name);
    return name;
  };
  const product = emitCompact(
    { node: (opType, inputs, attributes) => draft.emit(opType, inputs, `${output}_${opType}`, attributes), integers },
    form,
    parts.map(({ shape }) => shape),
    names,
    x,
  );
  if (node.opType === 'Gemm' && bias !== '') draft.define('Add', [product, bias], output);
  else draft.define('Identity', [product], output);
}
