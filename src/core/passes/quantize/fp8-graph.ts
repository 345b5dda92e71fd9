import type { Anatomy } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Plan, StoreEdit } from '../pass.ts';
import { OUTPUT, type Use } from '../uses.ts';
import { asFloat8 } from './as-float8.ts';
import { leastSaving, leftOut } from './choice.ts';
import { sidesOf } from './eight-bits.ts';
import { type GraphMatrix, takeMatrices } from './graph-matrices.ts';
import { BLOCKS_OPSET, cannotRaise } from './int4-opset.ts';
import type { QuantizeOptions } from './scheme.ts';

/** DequantizeLinear takes fp8 from this version of the operators on. */
export const FLOAT8_OPSET = 19;

/** About what a DequantizeLinear and the names of what it reads add to a file. */
const NODE_BYTES = 400;

/** fp8 weights with a DequantizeLinear in front of all that reads them: whatever that is, it gets fp32. */
export function planFloat8Graph(model: Model & { readonly graph: Graph }, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const old = tooOldForFloat8(model);
  if (old) return { edits: [], skipped: [{ target: model.name, reason: old }] };
  const edits: StoreEdit[] = [];
  const skipped = takeMatrices(model, anatomy, options, matrix => {
    const reason = kept(matrix, model, options);
    if (!reason) edits.push(edit(matrix));
    return reason;
  });
  return { edits, skipped };
}

/** Why a graph has no place for fp8, if it has none. */
function tooOldForFloat8({ graph }: Model & { readonly graph: Graph }): Sentence | undefined {
  const opset = graph.opsets.get('') ?? 1;
  if (opset >= FLOAT8_OPSET) return undefined;
  const against = cannotRaise(graph, BLOCKS_OPSET);
  if (against === 'old')
    return sentence('The model uses opset {opset}; fp8 needs opset {least} or later. Export it again with a newer one.', {
      opset,
      least: FLOAT8_OPSET,
    });
  return (
    against &&
    sentence('The model uses opset {opset}, and {operator} stands against raising it to {least}, which fp8 needs.', {
      opset,
      operator: against.operator,
      least: FLOAT8_OPSET,
    })
  );
}

function kept({ target, uses }: GraphMatrix, model: Model, options: QuantizeOptions): Sentence | undefined {
  const { weight } = target;
  const chosen = leftOut(target.id, options);
  if (chosen) return chosen;
  if (weight.shape.length !== 2)
    return sentence('It has {axes} axes; only matrices are quantized.', { axes: weight.shape.length });
  if (weight.dtype !== 'fp32')
    return sentence('It is {dtype}; DequantizeLinear would give its readers fp32.', { dtype: weight.dtype });
  if (uses.length === 0) return sentence('No MatMul, Gemm or Gather reads it.');
  if (uses.some(({ node }) => node.opType === OUTPUT)) return sentence('It is an output of the graph.');
  const [rows, columns] = sidesOf(weight);
  const saved = 3 * rows * columns - 4 * (isByRows(uses) ? rows : columns) - NODE_BYTES;
  if (saved >= leastSaving(model)) return undefined;
  return sentence('Too small to gain: it would save {saved} bytes of the file.', { saved: Math.max(0, Math.round(saved)) });
}

/** Output channels are rows where rows are looked up, or a product reads the weight turned. */
const isByRows = (uses: readonly Use[]): boolean => uses.some(use => use.kind === 'gather' || use.transposed);

function edit({ target, uses }: GraphMatrix): StoreEdit {
  const by = isByRows(uses) ? 'rows' : 'columns';
  return { kind: 'store', target, bits: 8, groupSize: 0, ...asFloat8(target.weight, target.id, by), axis: by === 'rows' ? 0 : 1 };
}
