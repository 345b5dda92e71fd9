import type { Anatomy, Linear, Table } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';
import { named } from '../passes/computed.ts';
import type { FactorEdit } from '../passes/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import { factorInGraph } from './factor-in-graph.ts';
import { factorTable } from './factor-table.ts';
import { replaceTensors } from './replace.ts';

/** A matrix or table as two. throws RangeError for factors that do not fit */
export function factor({ model, anatomy }: Body, edits: readonly FactorEdit[]): Model {
  for (const edit of edits) check(edit);
  const refitted = replaceTensors(model, anatomy, edits.flatMap(biasOf));
  return refitted.graph
    ? factorInGraph({ ...refitted, graph: refitted.graph }, anatomy, edits)
    : inCheckpoint(refitted, anatomy, edits);
}

export type LinearEdit = FactorEdit & { readonly target: Linear };
export type TableEdit = FactorEdit & { readonly target: Table };
export const isOfLinear = (edit: FactorEdit): edit is LinearEdit => 'out' in edit.target;

const biasOf = ({ target, bias }: FactorEdit) => (bias && 'out' in target ? [{ kind: 'replace' as const, target, bias }] : []);

function check(edit: FactorEdit): void {
  const { target, first, second } = edit;
  // A table is its narrow one times its projection: [rows, rank] and [width, rank].
  const [outer, inner] = isOfLinear(edit) ? [second.shape, [...first.shape].reverse()] : [second.shape, first.shape];
  const [rows, columns] = 'out' in target ? [target.out, target.in] : [target.rows, target.width];
  const fits = outer[0] === rows && inner[0] === columns && outer[1] === inner[1];
  if (!fits || target.form !== 'dense')
    throw new RangeError(`${target.id}: [${second.shape}] and [${first.shape}] are not its factors`);
}

/** X.weight becomes X.first.weight and X.second.weight; its bias goes with the second. */
function inCheckpoint(model: Model, anatomy: Anatomy, edits: readonly FactorEdit[]): Model {
  const linears = edits.filter(isOfLinear);
  const renamed = new Map<string, readonly Tensor[]>();
  const taken = new Set(model.tensors.keys());
  for (const { target, first, second } of linears) {
    const { name } = target.weight;
    const stem = name.replace(/\.weight$/, '');
    renamed.set(name, [named(first, fresh(taken, `${stem}.first.weight`)), named(second, fresh(taken, `${stem}.second.weight`))]);
    const bias = target.bias && model.tensors.get(target.bias.name);
    if (bias?.name === `${stem}.bias`) renamed.set(bias.name, [named(bias, fresh(taken, `${stem}.second.bias`))]);
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors) for (const each of renamed.get(name) ?? [tensor]) tensors.set(each.name, each);
  const factored = { ...model, tensors };
  const table = edits.find((edit): edit is TableEdit => !isOfLinear(edit));
  return table ? factorTable(factored, anatomy, table) : factored;
}

function fresh(taken: Set<string>, name: string): string {
  if (taken.has(name)) throw new RangeError(`the model has a tensor ${name} already`);
  taken.add(name);
  return name;
}
