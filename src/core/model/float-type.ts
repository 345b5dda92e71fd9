import { type DType, dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph, Node } from './graph.ts';

/** Element types by ONNX's numbers. */
const casts: ReadonlyMap<number, DType> = new Map([
  [1, 'fp32'],
  [10, 'fp16'],
  [11, 'fp64'],
  [16, 'bf16'],
]);

/** Which input has the type of the output, of operators whose first floating-point input has not. */
const typedBy: Readonly<Record<string, number>> = { DequantizeLinear: 1, MatMulIntegerToFloat: 2, DynamicQuantizeMatMul: 2 };

/**
 * The floating-point types of values of a graph, found from what they are made of: nearly all operators give what they are given.
 * undefined for what is not floating point, or not known.
 */
export function floatTypesOf(
  { nodes, inputs }: Pick<Graph, 'nodes' | 'inputs'>,
  tensors: ReadonlyMap<string, Tensor>,
): (value: string) => DType | undefined {
  const makers = new Map<string, Node>();
  for (const node of nodes) for (const name of node.outputs) makers.set(name, node);
  const given = new Map(inputs.map(({ name, dtype }) => [name, dtype]));
  const known = new Map<string, DType | undefined>();
  return value => {
    // Values wait for what they are made of: chains of thousands of nodes must not be chains of calls.
    const waiting = [value];
    while (waiting.length > 0) {
      const name = waiting.at(-1)!;
      const stored = tensors.get(name)?.dtype ?? given.get(name);
      const node = makers.get(name);
      if (known.has(name) || stored || !node) {
        if (!known.has(name)) known.set(name, stored && dtypes[stored].kind === 'float' ? stored : undefined);
        waiting.pop();
        continue;
      }
      const to = node.attributes.get('to');
      const sources = sourcesOf(node);
      const open = to ? undefined : sources.find(source => !known.has(source));
      const typed = sources.find(source => known.get(source) !== undefined);
      if (open !== undefined && typed === undefined && !waiting.includes(open)) {
        waiting.push(open);
        continue;
      }
      known.set(name, to?.type === 'int' ? casts.get(to.value) : typed === undefined ? undefined : known.get(typed));
      waiting.pop();
    }
    return known.get(value);
  };
}

const sourcesOf = ({ opType, inputs }: Node): readonly string[] => {
  const at = typedBy[opType];
  return at === undefined ? inputs.filter(name => name !== '') : inputs.slice(at, at + 1);
};
