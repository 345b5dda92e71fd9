import { type Anatomy, type Layer, linearsIn } from '../../../anatomy/anatomy.ts';
import { elementCount, type Tensor } from '../../../tensor/tensor.ts';
import type { Site } from '../sites.ts';

export type Priced = 'parameters' | 'multiply-adds';

/** What a unit of a site costs, and what all layers cost together, units or not. */
export interface Prices {
  unit(site: Site): number;
  readonly total: number;
}

/**
 * Exact, from the shapes. 'parameters': all numbers of the layers, those of shared ones once; a head has its rows of query, key and
 * value with their biases and its columns of the output, a neuron its rows of the first matrix (and the gate) and its column of the
 * second. 'multiply-adds': of the products of one token in a text of `length` tokens, the scores and their use among them.
 */
export function pricesOf({ layers }: Anatomy, of: Priced, length: number): Prices {
  const runs = (layer: Layer) => (of === 'parameters' ? 1 : layers.filter(({ stored }) => stored === layer.stored).length);
  const own = layers.filter(({ index, stored }) => index === stored);
  return {
    unit: ({ of: layer, part }) => (part === 'attention' ? headPrice(layer, of, length) : neuronPrice(layer, of)) * runs(layer),
    total:
      of === 'parameters'
        ? own.reduce((sum, layer) => sum + parametersIn(layer), 0)
        : layers.reduce(
            (sum, layer) => sum + layer.heads * headPrice(layer, of, length) + layer.down.in * neuronPrice(layer, of),
            0,
          ),
  };
}

function headPrice({ query, key, value, output, headDim }: Layer, of: Priced, length: number): number {
  const rows = [query, key, value].reduce((sum, it) => sum + it.in + (of === 'parameters' && it.bias ? 1 : 0), output.out);
  return headDim * (rows + (of === 'multiply-adds' ? 2 * length : 0));
}

function neuronPrice({ up, gate, down }: Layer, of: Priced): number {
  const into = gate ? [up, gate] : [up];
  return into.reduce((sum, it) => sum + it.in + (of === 'parameters' && it.bias ? 1 : 0), down.out);
}

function parametersIn(layer: Layer): number {
  const tensors: (Tensor | undefined)[] = linearsIn(layer).flatMap(({ weight, bias }) => [weight, bias]);
  for (const { weight, bias } of [layer.attentionNorm, layer.outputNorm]) tensors.push(weight, bias);
  for (const { table, norm, tensors: others = [] } of layer.extra ?? [])
    tensors.push(table?.weight, norm?.weight, norm?.bias, ...others.map(([, tensor]) => tensor));
  return tensors.reduce((sum, tensor) => sum + (tensor ? elementCount(tensor.shape) : 0), 0);
}
