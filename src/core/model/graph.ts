import type { DType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A graph of operators (ONNX). Nodes are in file order, which is topological in well-formed files. */
export interface Graph {
  readonly name: string;
  /**
   * Of a graph within an attribute (If, Loop, Scan): what stands before the names of its tensors in Model.tensors ("then_branch/").
   * Its nodes use the names without it. Absent in the graph of the model.
   */
  readonly scope?: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly Node[];
  /** Names of the tensors in Model.tensors that are initializers of this graph, in file order. */
  readonly initializers: readonly string[];
  /** Values have other shapes than the file says: what it notes of them (value_info) is left out when it is written. Only some: their names. */
  readonly staleShapes?: true | ReadonlySet<string>;
  /** domain -> version; '' is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  readonly producer: string;
  /** Local functions (ModelProto.functions), named domain::name. */
  readonly functions: readonly LocalFunction[];
}

/** A function that a file defines for itself: its nodes stand for each node that calls it by domain and name. */
export interface LocalFunction {
  readonly domain: string;
  readonly name: string;
  /** What stands before the names of its constants in Model.tensors ("pkg::Layer/"). Its nodes use the names without it. */
  readonly scope?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly nodes?: readonly Node[];
  /** Values of its attributes where a call leaves them out. */
  readonly defaults?: ReadonlyMap<string, Attribute>;
}

export interface ValueInfo {
  readonly name: string;
  readonly dtype?: DType;
  /** A name for a symbolic dimension, undefined for an unknown one. */
  readonly shape?: readonly (number | string | undefined)[];
}

export interface Node {
  readonly opType: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /** '' marks an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** metadata_props: dynamo keeps pkg.torch.onnx.name_scopes here. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * The node as it lies in the file it was read from. A node that still is the object that was read is copied byte for byte; a copy
   * of it with other fields (`{ ...node, inputs }`) is written with these fields replaced and all else as it was, unknown fields
   * too. A new node has none.
   */
  readonly origin?: unknown;
}

export type Attribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'graph'; readonly value: Graph }
  /** Anything else (types, sparse tensors, lists of graphs): kept in the file, not understood. */
  | {
      readonly type: 'other';
      /** In a function: the attribute of the call that stands here. */
      readonly refers?: string;
    };
