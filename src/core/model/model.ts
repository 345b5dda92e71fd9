import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';

/** A run of a file with one purpose. The parts of a model sum to the length of all its files. */
export interface Part {
  readonly kind: 'header' | 'padding' | 'tensors' | 'graph' | 'metadata' | 'external';
  /** The file the part is in. */
  readonly file: string;
  readonly byteLength: number;
}

export interface Warning {
  readonly code: string;
  readonly message: import('../errors.ts').Sentence;
}

/** What every format is read into and written from. Immutable: a rewrite returns another one. */
export interface Model {
  readonly format: 'onnx' | 'safetensors';
  /** The name of the file that was opened. */
  readonly name: string;
  /** Sum over all files of the model. */
  readonly byteLength: number;
  readonly parts: readonly Part[];
  /** By name in the file. In ONNX: initializers, and the tensors of Constant nodes under their output's name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** ONNX has one; safetensors has only names. */
  readonly graph?: Graph;
  /** config.json beside the file, {} when absent. */
  readonly config: Readonly<Record<string, unknown>>;
  /** `__metadata__` of safetensors, metadata_props of ONNX. */
  readonly metadata: Readonly<Record<string, string>>;
  /** false when a shard is missing. */
  readonly complete: boolean;
  readonly warnings: readonly Warning[];
  /** What the writer of the format needs to splice: private to the format. */
  readonly origin?: unknown;
}
