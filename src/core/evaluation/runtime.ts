// What runs a model, as evaluation sees it. onnxruntime.ts is the only one; a test may bring another.

/** A number per element, in row-major order. */
export interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface RunnerInput {
  readonly name: string;
  /** onnxruntime's name of the element type: 'int64', 'int32', 'float32', … */
  readonly type: string;
  /** A number is fixed, anything else is free. */
  readonly shape: readonly (number | string)[];
}

/** Ids for one input, [batch, sequence]. The runner turns them into the type the model wants. */
export interface Feed {
  readonly ids_BT: Int32Array;
  readonly shape: readonly [number, number];
}

/** Numbers for one input of a graph that was cut out of a model. */
export interface FloatFeed {
  readonly floats: Float32Array;
  readonly shape: readonly number[];
}

/** A model that is loaded and can run. */
export interface Runner {
  /** The model file's name, for messages. */
  readonly name: string;
  readonly inputs: readonly RunnerInput[];
  readonly outputs: readonly string[];
  readonly loadMs: number;
  /** How far the process grew at most by loading and running it; only where that is watched (metered.ts), which asking ends. */
  readonly peakBytes?: () => number;
  /** Only the outputs named in `wanted`. */
  run(feeds: ReadonlyMap<string, Feed | FloatFeed>, wanted: readonly string[]): Promise<ReadonlyMap<string, Values>>;
  close(): Promise<void>;
}

export interface Runtime {
  /** The library and its version, for the report. */
  readonly title: string;
  /** By path: external data is found beside the file. `name` is for messages, default the file's. throws 'unsupported' when the library refuses the model. */
  load(path: string, threads: number, name?: string): Promise<Runner>;
  /** A model that is in memory, whole. `name` is for messages. */
  loadBytes(bytes: Uint8Array, name: string, threads: number): Promise<Runner>;
}
