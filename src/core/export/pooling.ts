import { type GraphBuilder, int, ints } from './graph-builder.ts';

/** How sentence-transformers makes one vector of a sentence. */
export interface Pooling {
  readonly mode: 'mean' | 'cls';
  /** To unit length. */
  readonly normalize: boolean;
}

/** sentence_embedding [batch, hidden] as one more output. hidden [batch, sequence, hidden], mask [batch, sequence]. */
export function addPooling(graph: GraphBuilder, hidden: string, mask: string, width: number, pooling: Pooling): void {
  const vector = graph.within('pooling', () => {
    const pooled =
      pooling.mode === 'mean'
        ? mean(graph, hidden, mask)
        : graph.node('Gather', [hidden, graph.integers([0], [])], { axis: int(1) });
    return pooling.normalize ? unit(graph, pooled) : pooled;
  });
  graph.output('sentence_embedding', vector, ['batch', width]);
}

/** sentence-transformers divides by 1e-9 at least: a sentence without a token is 0, not NaN. */
function mean(graph: GraphBuilder, hidden: string, mask: string): string {
  const weights = graph.node('Cast', [graph.node('Unsqueeze', [mask, graph.integers([-1])])], { to: int(1) });
  const overTokens = (value: string) => graph.node('ReduceSum', [value, graph.integers([1])], { keepdims: int(0) });
  const count = graph.node('Max', [overTokens(weights), graph.number(1e-9)]);
  return graph.node('Div', [overTokens(graph.node('Mul', [hidden, weights])), count]);
}

/** As torch.nn.functional.normalize: 1e-12 at least. */
function unit(graph: GraphBuilder, vector: string): string {
  const length = graph.node('ReduceL2', [vector], { axes: ints([-1]), keepdims: int(1) });
  return graph.node('Div', [vector, graph.node('Max', [length, graph.number(1e-12)])]);
}
