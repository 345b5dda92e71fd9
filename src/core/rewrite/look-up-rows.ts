import type { Attribute, Node } from '../model/graph.ts';
import { computed } from '../passes/computed.ts';
import type { QuantizeEdit } from '../passes/pass.ts';
import type { DType } from '../tensor/dtype.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Draft, int, makeNode } from './draft.ts';
import type { Scalars } from './scalars.ts';

/** An operator that reads what the one before it made. */
export interface Operator {
  readonly opType: string;
  readonly inputs: (before: string) => readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** From fp32, in which everything is computed, to the type of the model. */
export const backTo = (dtype: DType): Operator[] =>
  dtype === 'fp32' ? [] : [{ opType: 'Cast', inputs: before => [before], attributes: { to: int(dtypes[dtype].onnx!) } }];

/** Adds operators one behind the other; what the last one makes has the name and type of what the replaced node made. */
export function replaceBy(draft: Draft, node: Node, operators: readonly Operator[]): void {
  const y = node.outputs[0]!;
  let value = '';
  for (const { opType, inputs, attributes } of operators.slice(0, -1))
    value = draft.emit(opType, inputs(value), `${y}_${opType.toLowerCase()}`, attributes);
  const { opType, inputs, attributes } = operators.at(-1)!;
  draft.push(makeNode(opType, inputs(value), [y], node.name, attributes, node.metadata));
}

/** Gather(T8, ids) (- 128), times Gather(scale, ids): rows of a table of integers with a scale for each row, `scale` [rows, 1]. */
export function lookUpRows(
  draft: Draft,
  scalars: Scalars,
  node: Node,
  { edit, values, scale }: { edit: QuantizeEdit; values: string; scale: string },
): void {
  const ids = node.inputs[1]!;
  const y = node.outputs[0]!;
  const integers = draft.emit('Gather', [values, ids], `${y}_integer`, {}, node.metadata);
  const real = draft.emit('Cast', [integers], `${y}_real`, { to: int(dtypes.fp32.onnx) });
  const centred =
    edit.values.dtype === 'int8'
      ? real
      : draft.emit('Sub', [real, scalars.named('int8_middle_real', 'fp32', 128)], `${y}_centred`);
  const ownScale = draft.emit('Gather', [scale, ids], `${y}_row_scale`);
  replaceBy(draft, node, [{ opType: 'Mul', inputs: () => [centred, ownScale] }, ...backTo(edit.target.weight.dtype)]);
}

/** [rows] as [rows, 1]. */
export const asColumn = (scale: Tensor): Tensor =>
  computed(scale.name, scale.dtype, [...scale.shape, 1], (start, end, signal) => scale.bytes(start, end, signal));
