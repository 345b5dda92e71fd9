import type { Sentence } from '../errors.ts';

// Plain data: survives structuredClone, JSON and a year on disk. What `headroom inspect --json` prints and the editor draws.

export type NodeKind =
  | 'model'
  | 'embeddings'
  | 'encoder'
  | 'layer'
  | 'attention'
  | 'feed-forward'
  | 'norm'
  | 'linear'
  | 'pooler'
  | 'head'
  | 'task'
  | 'tensor'
  | 'other';

/** A row of the tree. Children sum to their parent, in parameters and in bytes; the root's bytes are the bytes of all files. */
export interface TreeNode {
  /** Hugging Face path: "encoder.layer.3.attention.self.query"; unique in the tree. */
  readonly id: string;
  readonly kind: NodeKind;
  /** English; a view translates it by `titleSentence`. */
  readonly title: string;
  readonly titleSentence?: Sentence;
  readonly parameters: number;
  readonly byteLength: number;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  /** Names in the file. */
  readonly tensors?: readonly string[];
  readonly children?: readonly TreeNode[];
}

export interface HeadSize {
  readonly layer: number;
  readonly head: number;
  /** What removing it removes: its rows of query, key and value with their biases, its columns of the output projection. */
  readonly parameters: number;
  readonly byteLength: number;
}

/** The answer of `inspect`. */
export interface Summary {
  readonly version: 1;
  readonly file: {
    readonly name: string;
    readonly format: 'onnx' | 'safetensors';
    readonly byteLength: number;
    readonly parts: readonly { readonly kind: string; readonly byteLength: number }[];
  };
  readonly model: {
    readonly family: string;
    readonly task: string;
    readonly hidden: number;
    readonly layers: number;
    readonly heads: readonly number[];
    readonly headDim: number;
    readonly intermediate: readonly number[];
    readonly vocabulary: number;
    readonly positions: number;
    readonly parameters: number;
    readonly byteLength: number;
    readonly complete: boolean;
    /** Bytes by dtype, largest first. */
    readonly dtypes: readonly { readonly dtype: string; readonly byteLength: number }[];
    /** For ONNX: { opset, producer, nodes }. */
    readonly graph?: { readonly opset: number; readonly producer: string; readonly nodes: number };
    /** Why it is not a BERT, and what it is taken for. */
    readonly notBert?: Sentence;
  };
  readonly tree: TreeNode;
  readonly heads: readonly HeadSize[];
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly sentence: Sentence }[];
}
