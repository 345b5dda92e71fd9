import type { Node } from '../model/graph.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { ExtraOrgan } from './anatomy.ts';
import { constantOf, isFloat, mayBeWeight } from './constant.ts';
import { type Anchor, type Flow, multiplications, pathTo } from './flow.ts';
import { normInputs } from './fused.ts';
import type { FoundNorm } from './norm.ts';
import { linearOf } from './organ.ts';

/** What DeBERTa has beside: query and key multiplied by relative positions, and biases of their own for query and value. */
export interface Disentangled {
  /** Projections of relative positions: for keys, then for queries. */
  readonly projections: readonly Anchor[];
  /** Positions that an exporter has projected already, one matrix a head. */
  readonly folded: readonly Tensor[];
}

/** `products` are those of activations that are summed into the scores, `sums` what sums them. */
export function disentangledIn(
  flow: Flow,
  { products, sums, query, key }: { products: readonly Anchor[]; sums: readonly Anchor[]; query: Anchor; key: Anchor },
): Disentangled | undefined {
  const readsPositions = ({ from: [source] }: Anchor) => !source || source.kind === 'table';
  const apart = (anchor: Anchor) => anchor.kind === 'product' && anchor !== query && anchor !== key && readsPositions(anchor);
  const projections = [...new Set(products.flatMap(({ from }) => from.filter(apart)))];
  const folded = sums.flatMap(({ reads }) => reads).flatMap(read => pathTo(flow, read).flatMap(node => matrixIn(flow, node)));
  return projections.length + folded.length > 0 ? { projections, folded: [...new Set(folded)] } : undefined;
}

/** They repeat or turn a matrix, and change no number of it. */
const arranging = new Set(['Tile', 'Expand', 'Transpose', 'Reshape', 'Unsqueeze', 'Squeeze', 'Cast', 'Identity']);

/** The constant that data is multiplied by, where it is one matrix for each head. */
function matrixIn({ wiring }: Flow, node: Node): Tensor[] {
  if (!multiplications.has(node.opType)) return [];
  const tensor = arranged({ wiring }, node.inputs[1] ?? '');
  return tensor && isFloat(tensor) && tensor.shape.length >= 3 ? [tensor] : [];
}

/** Rows of a layer: projections that are not the layer's own query and key, and what is left of them. */
export function disentangledOrgans(layer: string, { projections, folded }: Disentangled, own: ReadonlySet<string>): ExtraOrgan[] {
  const at = (name: string) => ({ id: `${layer}.attention.self.${name}`, part: 'attention' as const });
  const names = ['pos_proj', 'pos_q_proj'];
  const linears = projections.flatMap((anchor, index): ExtraOrgan[] => {
    const product = anchor.product!;
    if (own.has(product.weight.name)) return [];
    const name = at(names[index] ?? `pos_proj.${index + 1}`);
    return [{ ...name, linear: linearOf(name.id, [product]) }];
  });
  const tensors = folded.map((tensor, index) => [String(index + 1), tensor] as const);
  return tensors.length > 0 ? [...linears, { ...at('positions'), tensors }] : linears;
}

/** The table that a projection of positions reads, and its norm. */
export function positionsBehind(flow: Flow, { from, product }: Anchor): { table?: Anchor; weight?: Tensor; norm?: FoundNorm } {
  if (from[0]) return from[0].kind === 'table' ? { table: from[0] } : {};
  const { wiring } = flow;
  let norm: FoundNorm | undefined;
  let value = product?.input ?? '';
  for (let steps = 0; steps < 24; steps++) {
    const weight = constantOf(wiring, value)?.tensor;
    if (weight) return isMatrix(weight) ? { weight, ...(norm && { norm }) } : {};
    const node = wiring.producer.get(value);
    if (!node) return {};
    const vectors = node.inputs.flatMap(input => vectorAt(flow, input));
    const inputs = normInputs.get(node.opType);
    if (inputs) norm = part(vectors[0], vectors[1]);
    else if (node.opType === 'Mul' && vectors[0]) norm = part(vectors[0], norm?.bias);
    else if (node.opType === 'Add' && vectors[0]) norm = part(norm?.weight, vectors[0]);
    value = node.inputs.find(input => vectorAt(flow, input).length === 0) ?? '';
  }
  return {};
}

/** [rows, width], whatever 1s stand before. */
const isMatrix = (tensor: Tensor): boolean =>
  tensor.shape.length >= 2 && elementCount(tensor.shape.slice(0, -2)) === 1 && mayBeWeight(tensor);

const part = (weight: Tensor | undefined, bias: Tensor | undefined): FoundNorm => ({
  ...(weight && { weight }),
  ...(bias && { bias }),
});

function vectorAt({ wiring }: Flow, value: string): Tensor[] {
  const tensor = constantOf(wiring, value)?.tensor;
  return tensor && mayBeWeight(tensor) && elementCount(tensor.shape) > 1 && tensor.shape.at(-1) === elementCount(tensor.shape)
    ? [tensor]
    : [];
}

/** The stored tensor behind what only arranges its numbers. */
function arranged({ wiring }: Pick<Flow, 'wiring'>, value: string): Tensor | undefined {
  for (let steps = 0; steps < 8; steps++) {
    const tensor = wiring.tensors.get(value);
    const maker = wiring.producer.get(value);
    if (tensor || !maker || !arranging.has(maker.opType)) return tensor;
    value = maker.inputs[0] ?? '';
  }
  return undefined;
}

/** Biases of query and value that are added behind the matrix that makes both: vectors of one number for each of its outputs. */
export function partBiases(flow: Flow, reads: readonly string[], width: number): (readonly [string, Tensor])[] {
  const names = ['q_bias', 'k_bias', 'v_bias'];
  const found = new Map<string, Tensor>();
  for (const [index, read] of reads.slice(0, 3).entries())
    for (const node of pathTo(flow, read))
      for (const input of node.opType === 'Add' ? node.inputs : []) {
        const tensor = flow.root.has(input) ? undefined : arranged(flow, input);
        if (tensor && isFloat(tensor) && elementCount(tensor.shape) === width) found.set(names[index]!, tensor);
      }
  return [...found];
}
