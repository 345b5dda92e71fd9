import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Linear } from './anatomy.ts';
import { constantOf } from './constant.ts';
import { consumersOf, integers, type Wiring } from './wiring.ts';

// Matrices in forms with fewer numbers than two thin ones. All parts are stored with three dimensions, [inputs, terms, outputs]:
//   kronecker       the sum over s of A_s (x) B_s: left [q1, S, p1], right [q2, S, p2] for a matrix of p1 p2 outputs and q1 q2 inputs
//   block-diagonal  blocks along the diagonal and a product of thin matrices: blocks [g, in / g, out / g], first [in, 1, r], second [r, 1, out]

export type CompactKind = 'kronecker' | 'block-diagonal';

/** What the parts of each kind are called, in their order. */
export const compactParts = { kronecker: ['left', 'right'], 'block-diagonal': ['blocks', 'first', 'second'] } as const;

/** A part with the side it has of the whole. undefined for shapes that do not go together. */
export function compactOf(
  kind: CompactKind,
  weights: readonly Tensor[],
): { readonly out: number; readonly in: number; readonly parts: readonly Omit<Linear, 'id' | 'nodes'>[] } | undefined {
  if (weights.some(({ shape }) => shape.length !== 3 || shape.includes(0))) return undefined;
  const [first, second, third] = weights.map(({ shape }) => shape as [number, number, number]);
  const part = (weight: Tensor, groups?: number): Omit<Linear, 'id' | 'nodes'> => {
    const [a, b, c] = weight.shape as [number, number, number];
    const sides = groups ? { in: a * b, out: a * c, groups } : { in: a, out: b * c };
    return { weight, ...sides, transposed: true, form: 'convolution' };
  };
  if (kind === 'kronecker') {
    const [left, right] = [first!, second!];
    if (left[1] !== right[1]) return undefined;
    return { out: left[2] * right[2], in: left[0] * right[0], parts: weights.map(weight => part(weight)) };
  }
  const [blocks, into, from] = [first!, second!, third!];
  const [out, width] = [blocks[0] * blocks[2], blocks[0] * blocks[1]];
  if (into[0] !== width || from[2] !== out || into[2] !== from[0] || into[1] !== 1 || from[1] !== 1) return undefined;
  return { out, in: width, parts: weights.map((weight, i) => part(weight, i === 0 ? blocks[0] : undefined)) };
}

/** What a writer of nodes has: an operator with one output, and a stored list of integers. */
export interface Emit {
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<
      Record<
        string,
        { readonly type: 'ints'; readonly value: readonly number[] } | { readonly type: 'int'; readonly value: number }
      >
    >,
  ): string;
  integers(values: readonly number[]): string;
}

/** The product of a value with a matrix in this form, in standard operators; `names` are the stored parts. What is written here is found again below. */
export function emitCompact(
  emit: Emit,
  kind: CompactKind,
  shapes: readonly (readonly number[])[],
  names: readonly string[],
  x: string,
): string {
  const matrix = (at: number, shape: readonly number[]) => emit.node('Reshape', [names[at]!, emit.integers(shape)]);
  const turn = (value: string, ...perm: number[]) => emit.node('Transpose', [value], { perm: { type: 'ints', value: perm } });
  const shaped = (value: string, ...shape: number[]) => emit.node('Reshape', [value, emit.integers(shape)]);
  if (kind === 'kronecker') {
    const [[q1, terms, p1], [q2, , p2]] = shapes as [[number, number, number], [number, number, number]];
    const before = emit.node('Slice', [emit.node('Shape', [x]), emit.integers([0]), emit.integers([-1])]);
    const whole = emit.node('Concat', [before, emit.integers([-1])], { axis: { type: 'int', value: 0 } });
    const right = emit.node('MatMul', [shaped(x, -1, q1, q2), matrix(1, [q2, terms * p2])]);
    const left = emit.node('MatMul', [turn(shaped(right, -1, q1 * terms, p2), 0, 2, 1), matrix(0, [q1 * terms, p1])]);
    return emit.node('Reshape', [turn(left, 0, 2, 1), whole]);
  }
  const [[groups, width, out], [all, , rank], [, , outputs]] = shapes as [number, number, number][] as [
    [number, number, number],
    [number, number, number],
    [number, number, number],
  ];
  const low = emit.node('MatMul', [emit.node('MatMul', [x, matrix(1, [all, rank])]), matrix(2, [rank, outputs])]);
  const apart = turn(shaped(x, -1, groups, width), 1, 0, 2);
  const blocks = turn(emit.node('MatMul', [apart, matrix(0, [groups, width, out])]), 1, 0, 2);
  return emit.node('Add', [low, emit.node('Reshape', [blocks, emit.node('Shape', [low])])]);
}

export interface FoundCompact {
  readonly kind: CompactKind;
  readonly input: string;
  /** The parts' weights and the nodes that multiply by them. */
  readonly weights: readonly Tensor[];
  readonly nodes: readonly Node[];
}

/** Is this the last node of such a product, or one within? */
export function compactAt(wiring: Wiring, node: Node): FoundCompact | 'within' | undefined {
  if (node.opType === 'Add') return blocksAt(wiring, node);
  if (node.opType !== 'MatMul' || !partAt(wiring, node)) return undefined;
  return kroneckerAt(wiring, node) ?? (isWithin(wiring, node) ? 'within' : undefined);
}

/** The stored part that a product reads. */
function partAt(wiring: Wiring, { inputs }: Node): Tensor | undefined {
  const reshape = wiring.producer.get(inputs[1] ?? '');
  if (reshape?.opType !== 'Reshape') return undefined;
  const found = constantOf(wiring, reshape.inputs[0] ?? '');
  return found && !found.scale && !found.transposed && found.tensor.shape.length === 3 ? found.tensor : undefined;
}

/** What made the value, casts not counted, if it is this operator. */
function made(wiring: Wiring, value: string | undefined, opType: string, perm?: string): Node | undefined {
  let node = wiring.producer.get(value ?? '');
  while (node?.opType === 'Cast' || node?.opType === 'Identity') node = wiring.producer.get(node.inputs[0] ?? '');
  return node?.opType === opType && (!perm || integers(node, 'perm')?.join() === perm) ? node : undefined;
}

function kroneckerAt(wiring: Wiring, node: Node): FoundCompact | undefined {
  const turned = made(wiring, node.inputs[0], 'Transpose', '0,2,1');
  const inner = turned && made(wiring, made(wiring, turned.inputs[0], 'Reshape')?.inputs[0], 'MatMul');
  const input = inner && made(wiring, inner.inputs[0], 'Reshape')?.inputs[0];
  const [left, right] = [partAt(wiring, node), inner && partAt(wiring, inner)];
  if (!left || !right || !input) return undefined;
  return { kind: 'kronecker', input, weights: [left, right], nodes: [node, inner!] };
}

function blocksAt(wiring: Wiring, node: Node): FoundCompact | undefined {
  const behind = made(wiring, made(wiring, node.inputs[1], 'Reshape')?.inputs[0], 'Transpose', '1,0,2');
  const inner = behind && made(wiring, behind.inputs[0], 'MatMul');
  const apart = inner && made(wiring, inner.inputs[0], 'Transpose', '1,0,2');
  const input = apart && made(wiring, apart.inputs[0], 'Reshape')?.inputs[0];
  const second = input && made(wiring, node.inputs[0], 'MatMul');
  const first = second && made(wiring, second.inputs[0], 'MatMul');
  if (!first || first.inputs[0] !== input) return undefined;
  const nodes = [inner!, first, second!];
  const weights = nodes.map(each => partAt(wiring, each));
  return weights.every(weight => weight !== undefined) ? { kind: 'block-diagonal', input, weights, nodes } : undefined;
}

/** Longest way from a product within to the last node, with casts between. */
const FURTHEST = 8;

function isWithin(wiring: Wiring, node: Node): boolean {
  let near: readonly Node[] = [node];
  for (let steps = 0; steps < FURTHEST; steps++) {
    near = near.flatMap(each => consumersOf(wiring, each.outputs[0] ?? '')).slice(0, 8);
    for (const each of near) {
      const found =
        each.opType === 'Add' ? blocksAt(wiring, each) : each.opType === 'MatMul' ? kroneckerAt(wiring, each) : undefined;
      if (found?.nodes.includes(node)) return true;
    }
  }
  return false;
}
