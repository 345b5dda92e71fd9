import type { Anatomy } from '../anatomy/anatomy.ts';
import { fail } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import { withAttributes, withInputs } from '../model/graph-edit.ts';
import type { FactorEdit } from '../passes/pass.ts';
import { turned } from '../passes/turned.ts';
import { type Use, usesOfConstants } from '../passes/uses.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Draft, type GraphModel, int, ints } from './draft.ts';
import { isOfLinear } from './factor.ts';
import { tidy } from './tidy.ts';

// y = x W^T with W = second first: MatMul(x, first^T) -> MatMul(., second^T), both stored as the products read them, [in, out].
// A table T = narrow projection^T: Gather(narrow, ids) -> MatMul(., projection^T); a decoder that reads the table as a matrix,
// y = x T^T, becomes MatMul(x, projection) -> MatMul(., narrow^T), with the same two initializers.

/** throws 'unsupported' where something else reads the weight too */
export function factorInGraph(model: GraphModel, { copies }: Pick<Anatomy, 'copies'>, edits: readonly FactorEdit[]): GraphModel {
  const draft = new Draft(model);
  const uses = usesOfConstants(model);
  const shared = new Map<Tensor, string>();
  const rewrites = new Map<Node, (node: Node) => void>();
  for (const edit of edits) {
    const { weight, id } = edit.target;
    const names = [weight.name, ...[...copies].flatMap(([copy, first]) => (first === weight.name ? [copy] : []))];
    const own = names.flatMap(name => uses.get(name) ?? []);
    if (own.some(({ kind }) => kind === 'other' || (isOfLinear(edit) && kind === 'gather')))
      throw fail('unsupported', 'Something else than products reads the matrix {id}.', { id }, { file: model.name });
    const write = isOfLinear(edit) ? linearIn(draft, edit, shared) : tableIn(draft, edit);
    for (const use of own) rewrites.set(use.node, node => write(node, use));
  }
  for (const node of model.graph.nodes) {
    const rewrite = rewrites.get(node);
    if (rewrite) rewrite(node);
    else draft.push(node);
  }
  return tidy(model, draft.finish());
}

type Write = (node: Node, use: Use) => void;

const stemOf = ({ name }: Tensor): string => name.replace(/\.weight$/, '');

/** Matrices that share a factor (the very same tensor) read one initializer. */
function linearIn(draft: Draft, { target, first, second }: FactorEdit, shared: Map<Tensor, string>): Write {
  const stem = stemOf(target.weight);
  const add = (end: string, tensor: Tensor) => draft.addInitializer(`${stem}.${end}.weight`, turned(tensor), target.weight.name);
  const into = shared.get(first) ?? add('first', first);
  shared.set(first, into);
  const out = add('second', second);
  return node => behind(draft, node, into, out);
}

function tableIn(draft: Draft, { target, first, second }: FactorEdit): Write {
  const stem = stemOf(target.weight);
  const narrow = draft.addInitializer(`${stem}.narrow.weight`, second, target.weight.name);
  const projection = draft.addInitializer(`${stem}.projection.weight`, turned(first), target.weight.name);
  let back: readonly [string, string] | undefined;
  return (node, { kind }) => {
    if (kind === 'gather') {
      const wide = node.outputs[0]!;
      const rows = draft.freshValue(`${wide}_narrow`);
      draft.push({ ...withInputs(node, [narrow, ...node.inputs.slice(1)]), outputs: [rows] });
      draft.push(product(draft, rows, projection, wide, `${node.name}/projection`));
      return;
    }
    back ??= [
      draft.emit('Transpose', [projection], `${stem}.projection_turned`, { perm: ints(1, 0) }),
      draft.emit('Transpose', [narrow], `${stem}.narrow_turned`, { perm: ints(1, 0) }),
    ];
    behind(draft, node, ...back);
  };
}

/** The product with one matrix becomes that with two: what it reads is multiplied by `into` first, then by `out` where it stood. */
function behind(draft: Draft, node: Node, into: string, out: string): void {
  const [x = '', , ...rest] = node.inputs;
  const rank = draft.freshValue(`${node.outputs[0]}_first`);
  draft.push(product(draft, x, into, rank, `${node.name}/first`));
  const plain = node.opType === 'Gemm' ? withAttributes(node, { transB: int(0) }) : node;
  draft.push(withInputs(plain, [rank, out, ...rest]));
}

const product = (draft: Draft, x: string, weight: string, y: string, name: string): Node => ({
  opType: 'MatMul',
  domain: '',
  name: draft.freshNodeName(name),
  inputs: [x, weight],
  outputs: [y],
  attributes: new Map(),
  metadata: {},
});
