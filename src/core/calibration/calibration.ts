// What a pass that looks at activations is given: the model running on texts, a piece at a time. Passes know these types only.

/** One of the two residual blocks of a layer; layers count from 0 as they run. */
export interface Half {
  readonly layer: number;
  readonly part: 'attention' | 'feed-forward';
}

/**
 * What can be looked at in a half: its input (the hidden state that enters it), its output (the hidden state that leaves it, behind
 * the norm of a BERT), and what a linear multiplies and gives (bias included), by its id.
 */
export type Tap = 'input' | 'output' | `${string}:in` | `${string}:out`;

/** Activations of one batch: real tokens only, row-major [tokens, width] for each tap that was asked for. */
export interface Observed {
  readonly tokens: number;
  /** throws RangeError for a tap that was not asked for. */
  get(tap: Tap): Float32Array;
}

/** The hidden states of the model as it was, or as it has been changed so far. */
export type Stream = 'original' | 'current';

/**
 * A walk through the layers, from the embeddings up, with two streams of hidden states: of the model as it was, and of the model as
 * it is being changed. A repair sees its inputs through what is already changed below it. E is a kind of edit.
 */
export interface Walk<E> {
  /** Where the current stream stands: the half that is looked at next. undefined behind the last layer. */
  readonly at: Half | undefined;
  /** Where the original stream stands: at the same half, unless one was moved or skipped alone. */
  readonly atOriginal: Half | undefined;
  /**
   * Is it a value of the graph, in the half that is looked at next? An operator that adds a bias together with more keeps the output of
   * the matrix to itself. `stream`: 'current' where it is not said.
   */
  shows(tap: Tap, stream?: Stream): boolean;
  /** The original stream is of an earlier state: the streams differ from the start, and shapes may. */
  readonly isFromSource: boolean;
  /** Runs the half over all texts, on the hidden states of `stream`, with `edits` of this half performed. The streams stay where they are. */
  observe(
    stream: Stream,
    taps: readonly Tap[],
    edits: readonly E[],
    each: (batch: Observed) => void | Promise<void>,
  ): Promise<void>;
  /** The same batch of both streams side by side, each at its own half, with `edits` performed in the current one. */
  observeBoth(
    taps: readonly Tap[] | Readonly<Record<Stream, readonly Tap[]>>,
    edits: readonly E[],
    each: (original: Observed, current: Observed) => void | Promise<void>,
  ): Promise<void>;
  /** Moves both streams behind the half, the current one with `edits` performed. */
  advance(edits: readonly E[]): Promise<void>;
  /** Moves one stream behind its half and leaves the other where it is. */
  move(stream: Stream, edits?: readonly E[]): Promise<void>;
  /** One stream's hidden states stand behind its half as they are: what a model without it does. */
  skip(stream: Stream): void;
}

/** Sums over rows of x [n, d] and y [n, e]; enough for least squares of y on x. */
export interface Moments {
  /** Rows so far. */
  readonly count: number;
  /** Means. [d], [e]. */
  meanX(): Float64Array;
  meanY(): Float64Array;
  /** Centred second moments divided by the count: [d, d], [d, e], and the diagonal for y [e]. Computed anew at each call. */
  covarianceXX(): Float64Array;
  covarianceXY(): Float64Array;
  varianceY(): Float64Array;
  /** About zero, not the mean: [d, d]. What GPTQ calls the Hessian (without its 2). */
  secondMomentXX(): Float64Array;
  /** Rows x [n, d] and y [n, e]; e = 0 for none. Large products run in the runtime. */
  add(x: Float32Array, y?: Float32Array): Promise<void>;
}

/** What the whole model says to each text: row-major. */
export interface TextVectors {
  /** Mean over tokens of the last hidden state: [texts, width]. */
  readonly pooled: Float32Array;
  readonly width: number;
  /** Predictions of the whole text [texts, classes], for models that have them. */
  readonly logits: Float32Array | undefined;
  readonly classes: number;
}

/** A model whose units can be scaled without being changed: 1 keeps, 0 removes. */
export interface Gated {
  /** One gate for each input channel of each linear that was named; absent: all 1. */
  run(gates: ReadonlyMap<string, Float32Array>): Promise<TextVectors>;
  close(): Promise<void>;
}

export interface Calibration<E> {
  readonly texts: number;
  /** Real tokens of all texts, special ones included. */
  readonly tokens: number;
  /** Token ids of each text, special ones included. */
  readonly ids: readonly (readonly number[])[];
  /**
   * On the first `texts` texts. `edits` of the embeddings are performed in the current stream from the start.
   * `towards`: what the original stream is of. 'source' is the model as it was before the steps in front of this one, told in the layers
   * and ids of the model as it is now, as far as the two correspond; without such steps it is 'itself'.
   */
  walk(edits?: readonly E[], texts?: number, towards?: 'itself' | 'source'): Promise<Walk<E>>;
  moments(d: number, e?: number): Moments;
  /** The whole model with `edits` performed, on `texts` texts (all when absent) from the `first` one (0 when absent). */
  vectors(edits: readonly E[], texts?: number, first?: number): Promise<TextVectors>;
  /** The model as it is with a gate in front of each of these linears (by id), on the first `texts` texts. */
  gated(linears: readonly string[], texts?: number): Promise<Gated>;
}
