import { fail } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { activationOf } from './activation.ts';
import { asFactor } from './deberta.ts';
import { type GraphBuilder, int, ints } from './graph-builder.ts';
import { MASKED } from './layer.ts';

/** How tokens become one vector, in the words and the order of sentence-transformers; vectors of several ways stand side by side. */
export const poolingModes = ['cls', 'max', 'mean', 'mean_sqrt_len', 'weightedmean', 'lasttoken'] as const;
export type PoolingMode = (typeof poolingModes)[number];

/** What sentence-transformers does with the vector: to unit length, or through a matrix [out, in] and an activation. */
export type PoolingStep =
  | { readonly kind: 'normalize' }
  | { readonly kind: 'dense'; readonly weight: Tensor; readonly bias?: Tensor; readonly activation: string };

/** How sentence-transformers makes one vector of a sentence. */
export interface Pooling {
  readonly modes: readonly PoolingMode[];
  readonly steps: readonly PoolingStep[];
}

/** sentence_embedding [batch, width] as one more output. hidden [batch, sequence, hidden], mask [batch, sequence]. */
export function addPooling(graph: GraphBuilder, hidden: string, mask: string, hiddenWidth: number, pooling: Pooling): void {
  const vectors = graph.within('pooling', () => pooling.modes.map(mode => ways[mode](graph, hidden, mask)));
  let vector = vectors.length === 1 ? vectors[0]! : graph.node('Concat', vectors, { axis: int(-1) });
  let width = hiddenWidth * vectors.length;
  for (const [index, step] of pooling.steps.entries())
    if (step.kind === 'normalize') vector = graph.within('pooling', () => unit(graph, vector));
    else {
      const [out = 0, read = 0] = step.weight.shape;
      if (read !== width)
        throw fail('malformed', 'The matrix {id} behind the pooling reads {found} numbers; the step before gives {expected}.', {
          id: step.weight.name,
          found: read,
          expected: width,
        });
      width = out;
      vector = dense(graph, vector, step, `pooling.${index}.dense`);
    }
  graph.output('sentence_embedding', vector, ['batch', width]);
}

type Way = (graph: GraphBuilder, hidden: string, mask: string) => string;

/** A mean counts 1e-9 tokens at least, as sentence-transformers does: a sentence without a token is 0, not NaN. */
const ways: Readonly<Record<PoolingMode, Way>> = {
  cls: (graph, hidden) => graph.node('Gather', [hidden, graph.integers([0], [])], { axis: int(1) }),
  max: (graph, hidden, mask) => {
    const seen = graph.node('Cast', [graph.node('Unsqueeze', [mask, graph.integers([-1])])], { to: int(9) });
    const shown = graph.node('Where', [seen, hidden, graph.number(MASKED)]);
    return graph.node('ReduceMax', [shown], { axes: ints([1]), keepdims: int(0) });
  },
  mean: (graph, hidden, mask) => {
    const tokens = asFactor(graph, mask);
    return graph.node('Div', [weighed(graph, hidden, tokens), counted(graph, tokens)]);
  },
  mean_sqrt_len: (graph, hidden, mask) => {
    const tokens = asFactor(graph, mask);
    return graph.node('Div', [weighed(graph, hidden, tokens), graph.node('Sqrt', [counted(graph, tokens)])]);
  },
  weightedmean: (graph, hidden, mask) => {
    const tokens = graph.node('Mul', [asFactor(graph, mask), places(graph, mask, 1)]);
    return graph.node('Div', [weighed(graph, hidden, tokens), counted(graph, tokens)]);
  },
  lasttoken: (graph, hidden, mask) => {
    const tokens = asFactor(graph, mask);
    const last = graph.node('ArgMax', [tokens], { axis: int(1), select_last_index: int(1) });
    const isLast = graph.node('Equal', [places(graph, mask, 0), graph.node('Cast', [last], { to: int(1) })]);
    return weighed(graph, hidden, graph.node('Mul', [tokens, graph.node('Cast', [isLast], { to: int(1) })]));
  },
};

const overTokens = (graph: GraphBuilder, value: string): string =>
  graph.node('ReduceSum', [value, graph.integers([1])], { keepdims: int(0) });

const weighed = (graph: GraphBuilder, hidden: string, weights: string): string =>
  overTokens(graph, graph.node('Mul', [hidden, weights]));

const counted = (graph: GraphBuilder, weights: string): string =>
  graph.node('Max', [overTokens(graph, weights), graph.number(1e-9)]);

/** start, start + 1, … as [sequence, 1]. */
function places(graph: GraphBuilder, mask: string, start: number): string {
  const length = graph.node('Gather', [graph.node('Shape', [mask]), graph.integers([1], [])], { axis: int(0) });
  const end = start === 0 ? length : graph.node('Add', [length, graph.integers([start], [])]);
  const range = graph.node('Range', [graph.integers([start], []), end, graph.integers([1], [])]);
  return graph.node('Cast', [graph.node('Unsqueeze', [range, graph.integers([-1])])], { to: int(1) });
}

/** As torch.nn.functional.normalize: 1e-12 at least. */
function unit(graph: GraphBuilder, vector: string): string {
  const length = graph.node('ReduceL2', [vector], { axes: ints([-1]), keepdims: int(1) });
  return graph.node('Div', [vector, graph.node('Max', [length, graph.number(1e-12)])]);
}

function dense(
  graph: GraphBuilder,
  vector: string,
  { weight, bias, activation }: PoolingStep & { kind: 'dense' },
  id: string,
): string {
  const [out = 0, width = 0] = weight.shape;
  const linear = { id, weight, ...(bias && { bias }), out, in: width, transposed: false, form: 'dense', nodes: [] } as const;
  const made = graph.linear(vector, linear);
  return graph.within(id, () => activationOf(activation)(graph, made));
}
