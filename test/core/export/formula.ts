import { detect } from '../../../src/core/anatomy/detect.ts';
import type { Model } from '../../../src/core/model/model.ts';
import type { Body } from '../../../src/core/rewrite/apply.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';

// Models whose weights are a formula of their names, so that numbers computed once by PyTorch (truths.py) stand for whole checkpoints.

/** FNV-1a of the name starts a linear congruence; its upper 24 bits are numbers from -0.3 to 0.3, those of a norm from 0.7 to 1.3. */
function weights(name: string, count: number): Float32Array {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 16777619) >>> 0;
  const middle = /layer_?norm\.weight$/i.test(name) ? 1 : 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 8) / 2 ** 24 - 0.5) * 0.6 + middle;
  });
}

export function tensorOf(name: string, shape: readonly number[]): Tensor {
  const values = weights(
    name,
    shape.reduce((a, b) => a * b, 1),
  );
  const all = new Uint8Array(values.buffer);
  return { name, dtype: 'fp32', shape, byteLength: all.length, bytes: async (start, end) => all.subarray(start, end) };
}

/** `tensors` as "name=2,3 name=4"; those of layer 0 stand for layer 1, too. */
export async function fromFormula(tensors: string, config: Model['config']): Promise<Body> {
  const all = tensors.split(' ').flatMap(each => {
    const [name, shape] = each.split('=') as [string, string];
    const sizes = shape.split(',').map(Number);
    const next = name.replace('layer.0.', 'layer.1.');
    return next === name ? [tensorOf(name, sizes)] : [tensorOf(name, sizes), tensorOf(next, sizes)];
  });
  const model: Model = {
    format: 'safetensors',
    name: 'model.safetensors',
    byteLength: 0,
    parts: [],
    tensors: new Map(all.map(each => [each.name, each])),
    config,
    metadata: {},
    complete: true,
    warnings: [],
  };
  return { model, anatomy: await detect(model) };
}
