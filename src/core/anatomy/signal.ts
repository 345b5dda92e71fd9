import { dtypes } from '../tensor/dtype.ts';
import { constantOf } from './constant.ts';
import type { Flow } from './flow.ts';
import { convolutions } from './product.ts';

/** Does the first layer read an image or sound: through a kernel of four dimensions, or one of three where no token is looked up? */
export function readsSignal(flow: Flow, value: string, looksUp: boolean): boolean {
  const { graph, fed } = flow.wiring;
  const first = graph.inputs.find(({ name }) => fed.has(name))?.dtype;
  const isFedFloats = first !== undefined && dtypes[first].kind === 'float';
  const kernels = kernelsBefore(flow, value);
  return kernels.includes(4) || (kernels.length > 0 && (isFedFloats || !looksUp));
}

/** Embeddings are made by some dozen nodes, those of images and sound too. */
const mostBefore = 1000;

/** Ranks of the convolutions' kernels that the first layer's data has gone through: 4 for images, 3 for sound. */
function kernelsBefore({ wiring }: Flow, value: string): number[] {
  const seen = new Set<string>();
  const ranks: number[] = [];
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined && seen.size < mostBefore; next = waiting.pop()) {
    const node = seen.has(next) ? undefined : wiring.producer.get(next);
    seen.add(next);
    if (!node || node.opType === 'Shape') continue;
    const kernel = constantOf(wiring, node.inputs[convolutions.get(node.opType) ?? -1] ?? '')?.tensor;
    if (kernel) ranks.push(kernel.shape.length);
    waiting.push(...node.inputs);
  }
  return ranks;
}
