import type { Attribute, Graph, Node } from '../../../src/core/model/graph.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { type DType, dtypes } from '../../../src/core/tensor/dtype.ts';
import { elementCount, type Tensor } from '../../../src/core/tensor/tensor.ts';

/** A tensor of the shape asked for; its bytes are those given, or the letters of its name over and over. */
export function made(name: string, shape: readonly number[], dtype: DType = 'fp32', content?: Uint8Array): Tensor {
  const byteLength = Math.ceil((elementCount(shape) * dtypes[dtype].bits) / 8);
  const letters = Buffer.from(name || '?');
  const bytes = async (start = 0, end = byteLength) =>
    content
      ? content.subarray(start, end)
      : Uint8Array.from({ length: end - start }, (_, i) => letters[(start + i) % letters.length]!);
  return { name, dtype, shape, byteLength, bytes };
}

export const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
export const int64s = (...values: number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);

/** A model that holds nothing but what is said; its bytes are those of its tensors. */
export function madeModel(tensors: readonly Tensor[], config: Model['config'] = {}, graph?: Graph): Model {
  const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const format = graph ? 'onnx' : 'safetensors';
  return {
    format,
    name: `model.${format}`,
    byteLength,
    parts: [{ kind: 'tensors', file: `model.${format}`, byteLength }],
    tensors: new Map(tensors.map(tensor => [tensor.name, tensor])),
    ...(graph && { graph }),
    config,
    metadata: {},
    complete: true,
    warnings: [],
  };
}

export function madeNode(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Record<string, number | number[]> = {},
): Node {
  const attribute = (value: number | number[]): Attribute =>
    typeof value === 'number' ? { type: 'int', value } : { type: 'ints', value };
  const entries = Object.entries(attributes).map(([name, value]) => [name, attribute(value)] as const);
  return { opType, domain: '', name: '', inputs, outputs: [output], attributes: new Map(entries), metadata: {} };
}

export function madeGraph(
  nodes: readonly Node[],
  inputs: readonly string[],
  outputs: readonly string[],
  tensors: readonly Tensor[] = [],
): Graph {
  const values = (names: readonly string[]) => names.map(name => ({ name }));
  return {
    name: '',
    inputs: values(inputs),
    outputs: values(outputs),
    nodes,
    initializers: tensors.map(tensor => tensor.name),
    opsets: new Map([['', 17]]),
    irVersion: 8,
    producer: '',
    functions: [],
  };
}

export interface BertShape {
  readonly vocabulary: number;
  readonly positions?: number;
  readonly types?: number;
  readonly hidden: number;
  readonly layers: number;
  readonly forward: number;
  readonly pooler?: boolean;
}

/** The tensors of a BERT checkpoint, by the names transformers gives them. */
export function bertTensors(
  { vocabulary, positions = 512, types = 2, hidden, layers, forward, pooler = true }: BertShape,
  prefix = '',
): Tensor[] {
  const linear = (name: string, out: number, width: number) => [
    made(`${prefix}${name}.weight`, [out, width]),
    made(`${prefix}${name}.bias`, [out]),
  ];
  const norm = (name: string) => [made(`${prefix}${name}.weight`, [hidden]), made(`${prefix}${name}.bias`, [hidden])];
  const table = (name: string, rows: number) => made(`${prefix}embeddings.${name}.weight`, [rows, hidden]);
  const embeddings = [
    table('word_embeddings', vocabulary),
    table('position_embeddings', positions),
    table('token_type_embeddings', types),
  ];
  const layer = (index: number) => {
    const at = `encoder.layer.${index}`;
    return [
      ...['query', 'key', 'value'].flatMap(name => linear(`${at}.attention.self.${name}`, hidden, hidden)),
      ...linear(`${at}.attention.output.dense`, hidden, hidden),
      ...norm(`${at}.attention.output.LayerNorm`),
      ...linear(`${at}.intermediate.dense`, forward, hidden),
      ...linear(`${at}.output.dense`, hidden, forward),
      ...norm(`${at}.output.LayerNorm`),
    ];
  };
  return [
    ...embeddings,
    ...norm('embeddings.LayerNorm'),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    ...(pooler ? linear('pooler.dense', hidden, hidden) : []),
  ];
}
