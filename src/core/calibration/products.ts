import type { Runner, Runtime } from '../evaluation/runtime.ts';
import type { Graph } from '../model/graph.ts';
import { newNode } from '../model/graph-edit.ts';
import type { TransposedProduct } from './moments.ts';

/** One Gemm: c = aᵀ b. */
const graph: Pick<Graph, 'inputs' | 'outputs' | 'nodes'> = {
  inputs: [
    { name: 'a', dtype: 'fp32', shape: ['n', 'd'] },
    { name: 'b', dtype: 'fp32', shape: ['n', 'e'] },
  ],
  outputs: [{ name: 'c', dtype: 'fp32', shape: ['d', 'e'] }],
  nodes: [newNode('Gemm', ['a', 'b'], ['c'], { attributes: { transA: { type: 'int', value: 1 } } })],
};

/** Big products belong to the runtime: its threads and its vector units. The runner lives as long as the process. */
export async function transposedProduct(
  runtime: Runtime,
  threads: number,
  encodeGraph: (graph: Pick<Graph, 'inputs' | 'outputs' | 'nodes'>) => Promise<Uint8Array>,
): Promise<{ readonly product: TransposedProduct; readonly runner: Runner }> {
  const runner = await runtime.loadBytes(await encodeGraph(graph), 'product', threads);
  const product: TransposedProduct = async (a, b, n, d, e) => {
    const feeds = new Map([
      ['a', { floats: a, shape: [n, d] }],
      ['b', { floats: b, shape: [n, e] }],
    ]);
    return (await runner.run(feeds, ['c'])).get('c')!.data;
  };
  return { product, runner };
}
