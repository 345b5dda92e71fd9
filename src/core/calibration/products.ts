import type { Runner, Runtime } from '../evaluation/runtime.ts';
import type { Graph } from '../model/graph.ts';
import { newNode } from '../model/graph-edit.ts';

type ProductGraph = Pick<Graph, 'inputs' | 'outputs' | 'nodes'>;

/** Which of the two is given with rows and columns exchanged. */
type Turned = 'a' | 'b';

/** Big products belong to the runtime: its threads and its vector units. */
export interface Products {
  /** c = a b in fp32, row-major [m, n], summed over `depth`; a as [depth, m] or b as [n, depth] where it is turned. */
  multiply(a: Float32Array, b: Float32Array, m: number, n: number, depth: number, turned?: Turned): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Nothing is loaded before the first product. */
export function matrixProducts(
  runtime: Runtime,
  threads: number,
  encodeGraph: (graph: ProductGraph) => Promise<Uint8Array>,
): Products {
  const runners = new Map<Turned | undefined, Promise<Runner>>();
  const runnerOf = (turned: Turned | undefined): Promise<Runner> => {
    const loaded =
      runners.get(turned) ?? encodeGraph(graphOf(turned)).then(bytes => runtime.loadBytes(bytes, 'product', threads));
    runners.set(turned, loaded);
    return loaded;
  };
  return {
    async multiply(a, b, m, n, depth, turned) {
      const feeds = new Map([
        ['a', { floats: a, shape: turned === 'a' ? [depth, m] : [m, depth] }],
        ['b', { floats: b, shape: turned === 'b' ? [n, depth] : [depth, n] }],
      ]);
      return (await (await runnerOf(turned)).run(feeds, ['c'])).get('c')!.data;
    },
    async close() {
      for (const runner of runners.values()) await (await runner.catch(() => undefined))?.close();
      runners.clear();
    },
  };
}

/** One Gemm. */
function graphOf(turned: Turned | undefined): ProductGraph {
  const attributes = turned && { [turned === 'a' ? 'transA' : 'transB']: { type: 'int', value: 1 } as const };
  return {
    inputs: [
      { name: 'a', dtype: 'fp32', shape: [undefined, undefined] },
      { name: 'b', dtype: 'fp32', shape: [undefined, undefined] },
    ],
    outputs: [{ name: 'c', dtype: 'fp32', shape: [undefined, undefined] }],
    nodes: [newNode('Gemm', ['a', 'b'], ['c'], { ...(attributes && { attributes }) })],
  };
}
