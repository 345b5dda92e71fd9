import type { Anatomy, Linear, Norm, Table } from '../anatomy/anatomy.ts';
import type { CompactKind } from '../anatomy/compact.ts';
import type { Folder } from '../bytes/source.ts';
import type { Calibration } from '../calibration/calibration.ts';
import type { Sentence } from '../errors.ts';
import type { Product32 } from '../kernels/linear-algebra/product32.ts';
import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One declaration drives the option's type, the form, the recipe's validation, the command-line flag and the documentation. */
export type Field =
  | (FieldText & {
      readonly kind: 'number';
      /** null: not said, which is a choice of its own ("fraction" beside "remove"). */
      readonly default: number | null;
      readonly min: number;
      readonly max: number;
      readonly step?: number;
      /** The only ones allowed, where they are few. */
      readonly values?: readonly number[];
    })
  | (FieldText & {
      readonly kind: 'choice';
      readonly default: string;
      readonly choices: readonly { readonly value: string; readonly hint: Sentence }[];
    })
  | (FieldText & { readonly kind: 'flag'; readonly default: boolean })
  /** Globs of organ ids, one or more; "*" is anything. */
  | (FieldText & { readonly kind: 'globs'; readonly default: readonly string[] })
  /** Whole numbers, each once, or their text: "1 3", "0-2". */
  | (FieldText & { readonly kind: 'integers'; readonly default: readonly number[] })
  /** Whole numbers by layer, or their text: "0:1 3:0,2" is { "0": [1], "3": [0, 2] }. */
  | (FieldText & { readonly kind: 'units'; readonly default: Units })
  /** Lists of whole numbers, or their text: "0-2 3-5" is [[0, 1, 2], [3, 4, 5]]. */
  | (FieldText & { readonly kind: 'groups'; readonly default: readonly (readonly number[])[] })
  /** A number for all layers, or a list with one for each, or its text: "4", "8 4 4 4 4 8". */
  | (FieldText & { readonly kind: 'by-layer'; readonly default: ByLayer; readonly min: number; readonly max: number })
  /** The path of a file; '' for none. */
  | (FieldText & { readonly kind: 'file'; readonly default: string });
interface FieldText {
  readonly label: Sentence;
  readonly help: Sentence;
  /** Shown only while another field has one of these values: { scheme: ['int8'] } */
  readonly when?: Readonly<Record<string, readonly string[]>>;
}
export type Units = Readonly<Record<string, readonly number[]>>;
export type ByLayer = number | readonly number[];
export type Fields = Readonly<Record<string, Field>>;
type ValueOf<F extends Field> = F extends { kind: 'number'; default: infer D }
  ? D extends null
    ? number | null
    : number
  : F extends { kind: 'flag' }
    ? boolean
    : F extends { kind: 'choice'; choices: readonly { value: infer V }[] }
      ? V
      : F extends { kind: 'integers' }
        ? readonly number[]
        : F extends { kind: 'units' }
          ? Units
          : F extends { kind: 'groups' }
            ? readonly (readonly number[])[]
            : F extends { kind: 'by-layer' }
              ? ByLayer
              : F extends { kind: 'file' }
                ? string
                : readonly string[];
export type Options<S extends Fields = Fields> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** The whole vocabulary of change. `rewrite` performs these; passes only speak them. */
export type Edit =
  | QuantizeEdit
  | QuantizeBlocksEdit
  | CastEdit
  | ConvertEdit
  | StoreEdit
  | ReplaceEdit
  | RemoveHeadsEdit
  | RemoveNeuronsEdit
  | RemoveLayersEdit
  | RemoveRowsEdit
  | RemoveHiddenEdit
  | FactorEdit
  | CompactEdit
  | NarrowHeadsEdit
  | ShareEdit;

export interface QuantizeEdit {
  readonly kind: 'quantize';
  readonly target: Linear | Table;
  readonly scheme: 'int8' | 'int8-dynamic' | 'int8-static' | 'int8-weights';
  /** Integers, computed when read. */
  readonly values: Tensor;
  /** Do the integers lie as the stored weight does, or turned, ready for a product that read the weight through a transposition? */
  readonly layout: 'stored' | 'transposed';
  /** One for each output channel (or row of a table), or one in all. */
  readonly scale: Tensor;
  /** Absent: 0 for signed integers, 128 for unsigned ones. */
  readonly zeroPoint?: Tensor;
  /** For each output channel the sum of its weights as they act: what an offset of the inputs contributes. */
  readonly sums?: Tensor;
  /**
   * f32 [in]: what each input channel is multiplied by before it is quantized; the integers are those of the weight divided by it.
   * One object for all edits whose inputs are the same.
   */
  readonly smoothing?: Tensor;
  /** int8 in a graph: bits of an activation, and whether onnxruntime's own operators are used. Absent: 8, standard ones. */
  readonly product?: { readonly bits: 7 | 8; readonly contrib: boolean };
  /** int8-static: by the value that is multiplied, its scale (f32) and zero point (int8), both scalars. What is not named stays as it is. */
  readonly inputs?: ReadonlyMap<string, { readonly scale: Tensor; readonly zeroPoint: Tensor }>;
}

/** Weights in blocks along the inputs of a channel: weight = (level - zero point) * scale. The channels of a table are its rows. */
export interface QuantizeBlocksEdit {
  readonly kind: 'quantize-blocks';
  readonly target: Linear | Table;
  /** 2, 4 or 8 where a graph is to run. */
  readonly bits: number;
  readonly blockSize: number;
  /** The stored weight is [in, out]: its channels are columns. */
  readonly turned: boolean;
  /** In a graph: onnxruntime's MatMulNBits and GatherBlockQuantized, or DequantizeLinear in blocks. */
  readonly operators: 'contrib' | 'standard';
  /** Levels, computed when read: uint8 [channels, blocks, block size * bits / 8], low bits first; the last block filled up. */
  readonly values: Tensor;
  /** [channels, blocks], in the type the weight had. */
  readonly scale: Tensor;
  /** uint8 [channels, blocks * bits / 8, rounded up], low bits first. Absent: 2^(bits - 1). */
  readonly zeroPoint?: Tensor;
}

/** The same numbers in another floating-point type. */
export interface CastEdit {
  readonly kind: 'cast';
  readonly target: Linear | Table;
  readonly values: Tensor;
}

/** A whole model in 16 bits: organs, vectors and constants alike. */
export interface ConvertEdit {
  readonly kind: 'convert';
  readonly dtype: 'fp16' | 'bf16';
  /** What becomes 16 bits, by name, in its old shape. What else is floating point stays, and so do the products that read it. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Of a graph: its operators compute in 16 bits too, or the numbers are only stored so and widened when the model is loaded. */
  readonly depth: 'operators' | 'storage';
}

/** A matrix or table stored with few bits, and multiplied out before it is used. */
export interface StoreEdit {
  readonly kind: 'store';
  readonly target: Linear | Table;
  /** Of one weight: 2 to 8 for integers, 8 for fp8_e4m3fn. */
  readonly bits: number;
  /** Inputs that share a scale, along a row of [out, in]. 0: the whole row. */
  readonly groupSize: number;
  /**
   * safetensors: fp8 in the weight's shape, or words int32 [out, ceil(in * bits / 32)], low bits first, of values + 2^(bits - 1).
   * ONNX: fp8, uint4 or uint8 in the weight's shape, the next wider type that a runtime reads.
   */
  readonly values: Tensor;
  /** safetensors: [out, groups], or [1] for the whole; symmetric groups may have negative ones. ONNX: a vector along `axis`. */
  readonly scale: Tensor;
  /** safetensors: words int32 [ceil(out * bits / 32), groups], packed down the columns. ONNX: like `scale`, in the type of `values`. */
  readonly zeroPoint?: Tensor;
  /** ONNX: the axis of the stored weight that the scale runs along. */
  readonly axis?: number;
}

/** Other numbers of the same shape: a refit, a rotation, zeros. Matrices are stored as the old ones were, [in, out] where `transposed`. */
export interface ReplaceEdit {
  readonly kind: 'replace';
  readonly target: Linear | Table | Norm;
  readonly weight?: Tensor;
  /** Only for an organ that has one. */
  readonly bias?: Tensor;
}

// Structural edits name layers and organs by number and id, as the body has them before the plan; several kinds may stand in one plan.
// Replacements in the same plan come first: their tensors have the shapes of before.

/** Rows of query, key and value with their biases, and columns of the output projection. */
export interface RemoveHeadsEdit {
  readonly kind: 'remove-heads';
  readonly layer: number;
  /** Ascending, numbered as the layer has them now; not all. */
  readonly heads: readonly number[];
  /** The output projection for the heads that stay, refitted: weight [hidden, kept * headDim] in the layout of the old one, bias [hidden]. */
  readonly output?: Refitted;
}

/** Rows of the first feed-forward matrix (and the gate) with their biases, and columns of the second. */
export interface RemoveNeuronsEdit {
  readonly kind: 'remove-neurons';
  readonly layer: number;
  /** Ascending; not all. */
  readonly neurons: readonly number[];
  /** The second matrix for the neurons that stay: weight [hidden, kept] in the layout of the old one, bias [hidden]. */
  readonly down?: Refitted;
}

export interface Refitted {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
}

export interface RemoveLayersEdit {
  readonly kind: 'remove-layers';
  /** Ascending; not all. */
  readonly layers: readonly number[];
}

/** Rows of the word embedding, and of the decoder and its bias that go with it. */
export interface RemoveRowsEdit {
  readonly kind: 'remove-rows';
  /** Id of the table. */
  readonly table: string;
  /** Old rows in their new order. */
  readonly keep: readonly number[];
}

/**
 * Hidden states of fewer numbers. The norms of a layer are one gain for all channels then, so what was their part stands in the matrices
 * around them: a matrix on the way around each half, and one behind the last layer that gives what the layers gave before.
 */
export interface RemoveHiddenEdit {
  readonly kind: 'remove-hidden';
  /** Numbers of a hidden state that stay. */
  readonly hidden: number;
  /** By the name they have: tables, norms and the matrices and biases of the layers, lying as they do, with `hidden` in place of the old size. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** [hidden, hidden] (out, in) for each half, those of layer 0 first: what is added to the half is this times what enters it. */
  readonly skips: readonly Tensor[];
  /** weight [old size, hidden], bias [old size]. */
  readonly widening: Required<Refitted>;
  /** [hidden, old size]: what a decoder that is the table of words reads it through. */
  readonly decoder?: Tensor;
}

/** y = W x becomes y = second (first x), or a table becomes rows of a narrow table times a matrix. */
export interface FactorEdit {
  readonly kind: 'factor';
  readonly target: Linear | Table;
  /** [rank, in]; of a table: the projection [width, rank]. */
  readonly first: Tensor;
  /** [out, rank]; of a table: the narrow table [rows, rank]. */
  readonly second: Tensor;
  readonly bias?: Tensor;
}

/** A matrix in a compact form: see anatomy/compact.ts for the parts and their shapes. Its bias stays. */
export interface CompactEdit {
  readonly kind: 'compact';
  readonly target: Linear;
  readonly form: CompactKind;
  /** In the order of compactParts. */
  readonly parts: readonly Tensor[];
}

/** Query and key of a layer with narrower heads: weights in the layout of the old ones, for heads x width outputs. Only in a graph. */
export interface NarrowHeadsEdit {
  readonly kind: 'narrow-heads';
  readonly layer: number;
  readonly width: number;
  readonly query: { readonly weight: Tensor; readonly bias: Tensor };
  readonly key: { readonly weight: Tensor; readonly bias: Tensor };
}

/** Layers that use one set of weights: those of the first of each group, with `tensors` in place of its own where they are given. */
export interface ShareEdit {
  readonly kind: 'share';
  readonly groups: readonly (readonly number[])[];
  /** "encoder.layer.0.attention.self.query.weight" -> the shared numbers, in the layout of the first layer's. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export interface Skipped {
  readonly target: string;
  readonly reason: Sentence;
}

/** What a pass would do, and what it left alone and why. Shown before anything is written. */
export interface Plan {
  readonly edits: readonly Edit[];
  readonly skipped: readonly Skipped[];
  /** Files that go beside the result in place of the input's: a smaller tokenizer, by name. */
  readonly companions?: ReadonlyMap<string, Uint8Array>;
  /** The same as options in which every choice is a list: replays where a measurement would choose otherwise. Absent: the options as given. */
  readonly exact?: Readonly<Record<string, unknown>>;
  /** What a person should know: what a default became, how good a fit can be. */
  readonly notes?: readonly Sentence[];
}

/** Texts with what should be said of them, in the order of a calibration's texts. */
export interface Labelled {
  readonly calibration: Calibration<Edit>;
  readonly labels:
    | { readonly kind: 'classes'; readonly classes: readonly number[] }
    /** 0 to 1, for texts 2i and 2i + 1: what their cosine should be. */
    | { readonly kind: 'scores'; readonly scores: readonly number[] };
}

export interface PassContext {
  readonly model: Model;
  /** The format that will be written: schemes may differ in what they can store. */
  readonly format: Model['format'];
  /** Only sizes are asked for: which units go may be a guess where it takes the text to know, how many may not. */
  readonly dryRun?: boolean;
  /** What hardly ever is so need not be looked for: tensors that find it when they are read reject with PlanAgain. */
  readonly trusting?: boolean;
  /** The model on the calibration text, opened when it is first asked for. Absent where there is no text. */
  readonly calibration?: () => Promise<Calibration<Edit>>;
  /**
   * Median milliseconds of a run of the model with `edits` performed, and of the model as it is, timed in turn: `batch` texts of
   * `length` tokens, as many threads as evaluation uses. Absent where nothing can be timed.
   */
  readonly latency?: (
    edits: readonly Edit[],
    shape: { readonly batch: number; readonly length: number },
  ) => Promise<{ readonly ms: number; readonly originalMs: number }>;
  /** Large products in fp32, made by the runtime that runs models, opened when they are first asked for. undefined where there is none. */
  readonly products?: () => Promise<Product32 | undefined>;
  /** The model on the first `most` samples of a task ('sst2:FILE.tsv', 'stsb:FILE.csv', …), with their labels. throws 'usage', 'malformed', 'unsupported' */
  readonly labelled?: (task: string, most: number) => Promise<Labelled>;
  /** The files beside the model: tokenizer, vocabulary, config. */
  readonly beside?: Folder;
  /** The tokenizer among them, opened when it is first asked for: ids of a text of any length, special tokens included. */
  readonly tokenizer?: () => Promise<{ encode(text: string): { readonly ids: readonly number[] } }>;
  /** A text file that an option names. throws 'not-found', 'malformed', 'limit' */
  readonly readText?: (path: string) => Promise<string>;
  /** Bytes of the file with these edits performed. Absent where none is written. */
  readonly sizeOf?: (plan: Plan) => Promise<number>;
  /** 0 to 1, and what is worked on. */
  readonly progress?: (fraction: number, what: string) => void;
  readonly signal?: AbortSignal;
}

export interface Pass<Id extends string = string, S extends Fields = Fields> {
  readonly id: Id;
  readonly title: Sentence;
  /** One line for the form and the documentation. */
  readonly summary: Sentence;
  /** The paper or tool it follows. */
  readonly source: string;
  readonly needs: readonly ('weights' | 'activations' | 'gradients')[];
  readonly fields: S;
  /** Sets of options worth trying on any model, for the table of what each would save. Absent: made from the fields. */
  readonly suggestions?: readonly Readonly<Record<string, unknown>>[];
  plan(anatomy: Anatomy, options: Options<S>, context: PassContext): Promise<Plan>;
}

export const definePass = <const Id extends string, const S extends Fields>(pass: Pass<Id, S>): Pass<Id, S> => pass;

export interface Step {
  readonly pass: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is done to a model, as JSON: replays to the same bytes. */
export interface Recipe {
  readonly version: 1;
  readonly steps: readonly Step[];
}
