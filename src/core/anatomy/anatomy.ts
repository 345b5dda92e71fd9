import type { Sentence } from '../errors.ts';
import type { Node } from '../model/graph.ts';
import type { Warning } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CompactKind } from './compact.ts';

/**
 * A matrix as it acts: y = x * W^T + b. `weight` is stored [out, in], or [in, out] when `transposed`.
 * A quantized one keeps its integers in `weight` and what scales them in `scale` and `zeroPoint`; its `out` and `in` are those of the matrix it stands for.
 */
export interface Linear {
  /** The Hugging Face path without the model's prefix, whatever the exporter wrote: encoder.layer.3.attention.self.query */
  readonly id: string;
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  /** Column sums of a quantized matrix, stored so that an offset of the activation can be taken back. */
  readonly sums?: Tensor;
  /** What each input channel is multiplied by before it is quantized: the matrix as it acts is the stored one times this, by input. */
  readonly smoothing?: Tensor;
  readonly out: number;
  readonly in: number;
  readonly transposed: boolean;
  /** 'convolution': stored with three dimensions, as a 1-wide convolution [out, in / groups, 1] or group by group; a matrix with blocks along its diagonal where it has groups. */
  readonly form: 'dense' | 'factored' | 'quantized' | 'convolution';
  /** Groups of a convolution: each output reads in / groups inputs. 1 when absent. */
  readonly groups?: number;
  /** How the numbers lie in a form that only its tool reads; `weight` is the tensor that holds them. */
  readonly packed?: Packing;
  /**
   * The stored matrix that this one is a part of: a fused query-key-value, or up and gate in one. `weight`, `bias` and `scale` are then
   * rows of its tensors and can be read, but are no tensors of the model: what is stored, claimed and compressed is the whole.
   */
  readonly within?: Linear;
  /** Of a factored one; `weight`, `transposed` and what scales them are the second's. */
  readonly factors?: Factors;
  /** Of a factored one that is no product of two matrices; `weight` is then the first part's, and shows its type alone. */
  readonly compact?: Compact;
  /** Of a part: its outputs as outputs [start, end) of the whole. */
  readonly rows?: readonly (readonly [number, number])[];
  /** ONNX: the nodes that multiply by this weight (MatMul, Gemm, MatMulInteger); more than one when a layer is shared. Empty in safetensors. */
  readonly nodes: readonly Node[];
}

/**
 * y = second (first x) + b: two stored matrices, with the ids ID.first and ID.second. What is stored, claimed and compressed are these
 * two; the bias is the second's.
 */
export interface Factors {
  /** [rank, in] */
  readonly first: Linear;
  /** [out, rank] */
  readonly second: Linear;
}

/** A sum of Kronecker products, or blocks along a diagonal and a thin pair: see compact.ts for the parts and their shapes. */
export interface Compact {
  readonly kind: CompactKind;
  /** With the ids ID.left and so on; stored with three dimensions. The bias is the whole's. */
  readonly parts: readonly Linear[];
}

/** What is stored of a matrix: itself, the whole that it is a part of, its two factors, or what a compact form is made of. */
export function storedOf(linear: Linear): readonly Linear[] {
  const whole = linear.within ?? linear;
  if (whole.compact) return whole.compact.parts.map((part, i) => (i === 0 && whole.bias ? { ...part, bias: whole.bias } : part));
  return whole.factors ? [whole.factors.first, whole.factors.second] : [whole];
}

/** Weights in words of 32 bits, in blocks, or scaled in a way of their own: counted exactly; those of onnxruntime are multiplied out too. */
export interface Packing {
  readonly method: 'compressed-tensors' | 'gptq' | 'awq' | 'bitsandbytes' | 'quanto' | 'torchao' | 'onnxruntime';
  /** Bits of one weight. */
  readonly bits: number;
  /** What people call it: "int4", "nf4". */
  readonly dtype: string;
  /** What stands beside the packed weights: scales, zero points, orders, shapes. Buffers, not parameters. */
  readonly tensors: readonly Tensor[];
  /** onnxruntime: inputs of a channel that share a scale; levels lie low bits first, a channel after the other. */
  readonly blockSize?: number;
}

/** An embedding table [rows, width]. */
export interface Table {
  readonly id: string;
  readonly weight: Tensor;
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  readonly rows: number;
  readonly width: number;
  readonly form: 'dense' | 'quantized';
  readonly packed?: Packing;
  /** ONNX: the Gather nodes. A table that is sliced or added as a constant has none. */
  readonly nodes: readonly Node[];
}

export interface Norm {
  readonly id: string;
  readonly weight?: Tensor;
  readonly bias?: Tensor;
}

export interface Layer {
  readonly index: number;
  /** The first layer with the same numbers: layers with the same `stored` share one set of tensors, or hold copies of it (ALBERT). */
  readonly stored: number;
  /** 0 when neither config.json nor the graph says it; `headDim` is 0 then. */
  readonly heads: number;
  readonly headDim: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly attentionNorm: Norm;
  readonly up: Linear;
  readonly down: Linear;
  readonly outputNorm: Norm;
  /** A feed-forward network with a gate: down(act(gate x) * up x), or the other way round. */
  readonly gate?: Linear;
  /** What the layer has beside: bottlenecks, convolutions, projections of positions, biases that stand alone. */
  readonly extra?: readonly ExtraOrgan[];
}

/** A module that not every BERT has. Exactly one of linear, table, norm and tensors is set. */
export interface ExtraOrgan {
  readonly id: string;
  /** Where it stands in its layer; 'layer' beside both. Always 'layer' outside layers. */
  readonly part: 'attention' | 'feed-forward' | 'layer';
  readonly linear?: Linear;
  /** Relative positions, and tables that no token looks up. */
  readonly table?: Table;
  readonly norm?: Norm;
  /** Kernels of convolutions and loose parameters: name of the part ('weight', 'bias', '' for the parameter itself) and tensor. */
  readonly tensors?: readonly (readonly [string, Tensor])[];
}

/** The stored matrices of a layer, in the order in which data meets them: six, fewer where some are parts of one, more where some are factored or it has others. */
export const linearsIn = (layer: Layer): Linear[] => matricesIn(layer).flatMap(storedOf);

/** The same with factored matrices as wholes. */
export function matricesIn({ query, key, value, output, up, gate, down, extra = [] }: Layer): Linear[] {
  const acting = [query, key, value, output, up, ...(gate ? [gate] : []), down, ...extra.flatMap(organ => organ.linear ?? [])];
  return [...new Set(acting.map(linear => linear.within ?? linear))];
}

/** Which tensor is which organ. What no organ claims is in `unclaimed`: shown, never dropped. */
export interface Anatomy {
  /** Hugging Face model_type, or 'unknown'. */
  readonly family: string;
  /** 'base', 'masked-lm', 'pretraining', 'sequence-classification', 'token-classification', 'question-answering', 'multiple-choice', 'discriminator', or 'unknown'. */
  readonly task: string;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly positions: number;
  /** Layers that run, in order; [] when no BERT was found. */
  readonly layers: readonly Layer[];
  readonly tables: readonly Table[];
  readonly embeddingNorm?: Norm;
  /** ALBERT, ELECTRA: embedding width to hidden width. */
  readonly embeddingProjection?: Linear;
  /** What the embeddings have beside tables, norm and projection. */
  readonly embeddingExtra?: readonly ExtraOrgan[];
  /** What all layers share, or stands behind the last: tables of relative positions, a final norm. */
  readonly encoderExtra?: readonly ExtraOrgan[];
  /** Pooler and task head: linears, norms and loose parameters in order. */
  readonly top: readonly TopOrgan[];
  /** Every linear of the model, layers first, each stored one once (of a factored one its factors), with the nodes of all its copies among layers. A decoder that is the embedding table itself is the table's, not listed here; in a model that is not a BERT, every constant matrix that a MatMul or Gemm uses. */
  readonly linears: readonly Linear[];
  readonly unclaimed: readonly Tensor[];
  /** Tensors that stand for the same numbers as another one (a tied table stored twice, quantized or not): name -> name of the first. Counted once, with a row of their own. */
  readonly copies: ReadonlyMap<string, string>;
  /** Tensors that are no parameters: position_ids, shape constants, scales and zero points. */
  readonly buffers: readonly Tensor[];
  /** Why no layers were found, and what the model is taken for. */
  readonly notBert?: Sentence;
  /** What a person should know: 'heads-unknown'. */
  readonly warnings?: readonly Warning[];
}

export interface TopOrgan {
  readonly id: string;
  readonly kind: 'linear' | 'norm' | 'bias';
  readonly role: 'pooler' | 'head';
  readonly linear?: Linear;
  readonly norm?: Norm;
  readonly tensor?: Tensor;
}
