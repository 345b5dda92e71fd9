import type { Anatomy } from '../../anatomy/anatomy.ts';
import { isGivenAttention, packedSizes } from '../../anatomy/fused.ts';
import type { Taps } from '../../anatomy/taps.ts';
import { integer } from '../../anatomy/wiring.ts';
import { fail } from '../../errors.ts';
import type { Graph, Node } from '../../model/graph.ts';
import { newNode } from '../../model/graph-edit.ts';
import type { Model } from '../../model/model.ts';
import { probedModel } from './probed-model.ts';

// B batch, T tokens, H heads, D numbers of a head, C = H * D

/** What a layer's attention is made of: outputs of the probed model, by name. */
export type AttentionSource =
  | { readonly kind: 'probabilities'; readonly value: string }
  | {
      readonly kind: 'products';
      /** [B, T, C], [B, H, T, D], or with key and value in it: [B, T, H, 3, D]. */
      readonly query: string;
      /** Absent where it stands in `query`. */
      readonly key?: string;
      /** Columns before the key's, where both stand in one [B, T, 3 * C]. */
      readonly keyColumn?: number;
      /** Of query, key and value, one behind the other. */
      readonly bias?: string;
      /** Added to the scores, or true and false: broadcast to [B, H, T, T]. */
      readonly mask?: string;
      readonly heads: number;
      /** What scores are multiplied by; 1 / sqrt(D) when absent. */
      readonly scale?: number;
      /** Scores go through softcap * tanh(score / softcap). */
      readonly softcap?: number;
    };

type GraphModel = Model & { readonly graph: Graph };

/**
 * The model with the outputs that show the attention of one layer, and which they are: the Softmax's value where the graph has one,
 * else query and key as the operator of attention is given them, or as its own matrix makes them.
 * throws 'unsupported' for operators that turn query and key by positions, remember earlier tokens, or keep texts without padding
 */
export function attentionSource(
  model: GraphModel,
  { layers }: Pick<Anatomy, 'layers'>,
  taps: Taps,
  index: number,
): { readonly model: GraphModel; readonly source: AttentionSource } {
  const at = taps.layers[index];
  if (!at)
    throw fail(
      'usage',
      'There is no layer {layer}: the model has {count}.',
      { layer: index, count: layers.length },
      { file: model.name },
    );
  const { attention: node, attentionProbabilities: value } = at;
  if (value !== undefined) return { model: probedModel(model, [value]), source: { kind: 'probabilities', value } };
  const isKnown = knownTo(model);
  if (!canBeShown(node) || !node.inputs.slice(0, 6).every(isKnown))
    throw fail(
      'unsupported',
      'What the operator {operator} does in layer {layer} cannot be shown.',
      { operator: node.opType, layer: index },
      { file: model.name },
    );
  const adding = new Adding(model);
  const products = isGivenAttention(node) ? given(adding, node) : packed(adding, node, layers[index]!.query.out);
  const heads = integer(node, 'num_heads', 0) || integer(node, 'q_num_heads', 0) || layers[index]!.heads;
  const [scale, softcap] = [float(node, 'scale'), float(node, 'softcap')];
  return {
    model: adding.model(),
    source: { kind: 'products', ...products, heads, ...(scale && { scale }), ...(softcap && { softcap }) },
  };
}

/** Keys and values of earlier tokens: which input of which operator. */
const pasts: Readonly<Record<string, number>> = { QAttention: 8, MultiHeadAttention: 6 };

const canBeShown = (node: Node): boolean =>
  ['Attention', 'QAttention', 'MultiHeadAttention'].includes(node.opType) &&
  integer(node, 'do_rotary', 0) === 0 &&
  integer(node, 'unidirectional', 0) === 0 &&
  integer(node, 'is_causal', 0) === 0 &&
  !node.inputs[pasts[node.opType] ?? 4];

/** An operator within a function reads values that the graph around it does not have. */
function knownTo({ graph, tensors }: GraphModel): (value: string) => boolean {
  const made = new Set([...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  return value => value === '' || made.has(value) || tensors.has(value);
}

const float = (node: Node, name: string): number | undefined => {
  const attribute = node.attributes.get(name);
  return attribute?.type === 'float' && attribute.value !== 0 ? attribute.value : undefined;
};

type Products = Pick<Extract<AttentionSource, { kind: 'products' }>, 'query' | 'key' | 'keyColumn' | 'bias' | 'mask'>;

/** Query and key are inputs of the operator; onnxruntime's has a bias, and what is added to the scores, of its own. */
function given(adding: Adding, { opType, inputs }: Node): Products {
  const [query = '', key = '', , third = '', , fifth = ''] = inputs;
  const [bias, mask] = opType === 'Attention' ? ['', third] : [third, fifth];
  return {
    query: adding.shown(query),
    ...(key !== '' && { key: adding.shown(key) }),
    ...(bias !== '' && { bias: adding.shown(bias) }),
    ...(mask !== '' && { mask: adding.shown(mask) }),
  };
}

/** The operator holds the matrix of query, key and value: it is multiplied beside it once more. */
function packed(adding: Adding, node: Node, width: number): Products {
  const [input = '', weight = '', bias = '', first = '', second = '', mask = '', third = '', fourth = ''] = node.inputs;
  const isQuantized = node.opType === 'QAttention';
  const zero = (value: string) => (value === '' ? [] : [value]);
  const product = isQuantized
    ? adding.node('MatMul', [
        adding.node('DequantizeLinear', [input, first, ...zero(third)]),
        adding.node('DequantizeLinear', [weight, second, ...zero(fourth)]),
      ])
    : adding.node('MatMul', [input, weight]);
  const query = bias === '' ? product : adding.node('Add', [product, bias]);
  const [keyColumn] = packedSizes(node, 3 * width) ?? [width];
  const isMasked = !isQuantized && mask !== '';
  return { query: adding.shown(query), keyColumn, ...(isMasked && { mask: adding.shown(mask) }) };
}

/** Nodes beside those of a model, and their values as its outputs. */
class Adding {
  private readonly whole: GraphModel;
  private readonly nodes: Node[] = [];
  private readonly outputs: string[] = [];

  constructor(model: GraphModel) {
    this.whole = model;
  }

  /** The name of what it makes. */
  node(opType: string, inputs: readonly string[]): string {
    const output = `headroom.attention.${this.nodes.length}`;
    this.nodes.push(newNode(opType, inputs, [output], { name: output }));
    return output;
  }

  /** A copy, so that inputs and stored tensors can be shown too. */
  shown(value: string): string {
    const output = this.node('Identity', [value]);
    this.outputs.push(output);
    return output;
  }

  model(): GraphModel {
    const { graph } = this.whole;
    return probedModel({ ...this.whole, graph: { ...graph, nodes: [...graph.nodes, ...this.nodes] } }, this.outputs);
  }
}
