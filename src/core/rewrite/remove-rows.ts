import type { Anatomy, Table } from '../anatomy/anatomy.ts';
import { withType } from '../model/graph-edit.ts';
import type { Model } from '../model/model.ts';
import type { RemoveRowsEdit } from '../passes/pass.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Body } from './apply.ts';
import { type Runs, take } from './take.ts';
import { withTensors } from './with-tensors.ts';

/**
 * A smaller vocabulary: rows of the word table, outputs of the decoder with their biases, tied or stored again. What a graph says of
 * its logits follows, and config.json's size and ids of special tokens do.
 */
export function removeRows({ model, anatomy }: Body, edits: readonly RemoveRowsEdit[]): Model {
  return edits.reduce((after, edit) => without(after, anatomy, edit), model);
}

function without(model: Model, anatomy: Anatomy, { table: id, keep }: RemoveRowsEdit): Model {
  const table = anatomy.tables.find(it => it.id === id);
  if (!table) throw new RangeError(`there is no table ${id}`);
  const runs = runsOf(keep);
  const changes = new Map<string, Tensor>();
  const cut = (tensor: Tensor | undefined, axis: number) => tensor && changes.set(tensor.name, take(tensor, axis, runs));
  cut(table.weight, 0);
  const decoders = decodersOf(anatomy, table);
  for (const { linear, tensor } of decoders) {
    if (linear && linear.weight.name !== table.weight.name) cut(linear.weight, linear.transposed ? 1 : 0);
    for (const bias of [linear?.bias, tensor]) cut(bias, bias?.shape.lastIndexOf(table.rows) ?? 0);
  }
  for (const [copy, first] of anatomy.copies) {
    const changed = changes.get(first);
    if (changed && !changes.has(copy)) changes.set(copy, changed);
  }
  const smaller = withTensors(model, changes);
  const config = withIds(model.config, table.rows, keep);
  return decoders.length === 0
    ? { ...withShapes(smaller, model, changes), config }
    : { ...withLogits(smaller, table.rows, keep.length), config };
}

/** What gives one number for each word: the decoder, and a bias that stands alone. */
export const decodersOf = ({ top }: Anatomy, { rows }: Table): Anatomy['top'] =>
  top.filter(({ role, linear, tensor }) => role === 'head' && (linear ? linear.out === rows : countOf(tensor) === rows));

const countOf = (tensor: Tensor | undefined): number => (tensor ? elementCount(tensor.shape) : 0);

/** Rows in their new order as runs of the old one. */
function runsOf(rows: readonly number[]): Runs {
  const runs: [number, number][] = [];
  for (const row of rows) {
    const last = runs.at(-1);
    if (last?.[1] === row) last[1]++;
    else runs.push([row, row + 1]);
  }
  return runs;
}

/** What a lookup gives has the shape it had: what a file notes of all values but the tables holds, and a runtime fuses as it did. */
function withShapes(smaller: Model, { graph }: Model, changes: ReadonlyMap<string, Tensor>): Model {
  const before = graph?.staleShapes;
  if (!smaller.graph || before === true) return smaller;
  return { ...smaller, graph: { ...smaller.graph, staleShapes: new Set([...(before ?? []), ...changes.keys()]) } };
}

function withLogits(model: Model, before: number, after: number): Model {
  if (!model.graph) return model;
  const outputs = model.graph.outputs.map(output =>
    output.shape?.at(-1) === before ? withType(output, { shape: [...output.shape.slice(0, -1), after] }) : output,
  );
  return { ...model, graph: { ...model.graph, outputs } };
}

/** pad_token_id, bos_token_id, …: numbers, or lists of them. One that is gone is null, which transformers takes for none. */
function withIds(config: Model['config'], rows: number, keep: readonly number[]): Model['config'] {
  const places = new Map(keep.map((old, place) => [old, place]));
  const idOf = (old: unknown): unknown => (isId(old, rows) ? (places.get(old) ?? null) : old);
  const changed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(config)) {
    if (name === 'vocab_size') changed[name] = keep.length;
    else if (name.endsWith('_token_id')) changed[name] = Array.isArray(value) ? value.map(idOf) : idOf(value);
    else changed[name] = value;
  }
  return changed;
}

const isId = (value: unknown, rows: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < rows;
