import type { Code, Sentence } from '../errors.ts';
import type { AttentionMaps, Evaluation } from '../evaluation/report.ts';
import type { Field, Recipe, Step } from '../passes/pass.ts';
import type { Comparison, CompressReport, Sizes } from '../report/comparison.ts';
import type {
  HeadMeasure,
  HeatMap,
  HeatMapRequest,
  MatrixDiff,
  MatrixDiffRequest,
  TensorStatistics,
  ValuesPage,
  ValuesRequest,
} from '../report/inside.ts';
import type { OutputSpectrum } from '../report/output-spectrum.ts';
import type { Redundancy, Saving } from '../report/redundancy.ts';
import type { Scores } from '../report/scores.ts';
import type { PartsBy, Sensitivity } from '../report/sensitivity.ts';
import type { Summary } from '../report/tree.ts';

export type { Recipe, Step };

// What the session takes and gives. Plain data only: everything here survives structuredClone and JSON.

/** A HeadroomError as data: classes do not cross processes, codes do. */
export interface Failure {
  readonly code: Code;
  /** English, with file and offset. */
  readonly message: string;
  readonly sentence: Sentence;
  readonly file?: string;
  readonly offset?: number;
  readonly hint?: Sentence;
}

/** A pass as a form, a command line and a document need it. */
export interface PassInfo {
  readonly id: string;
  readonly title: Sentence;
  readonly summary: Sentence;
  /** The paper or tool it follows. */
  readonly source: string;
  readonly needs: readonly string[];
  readonly fields: Readonly<Record<string, Field>>;
}

export interface ProgressEvent {
  /** 0 to 1, or absent while unknown. */
  readonly fraction?: number;
  /** What is being worked on: an organ's id, or a file's name. */
  readonly what: string;
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
}

export interface CompressRequest {
  readonly path: string;
  readonly recipe: Recipe;
  /** Path of the model file to write (.onnx, .safetensors), or of a folder. */
  readonly out: string;
  /** Default: what `out` ends in, else the input's. */
  readonly format?: 'onnx' | 'safetensors';
  readonly force?: boolean;
  readonly dryRun?: boolean;
  /** Path of a text file, a sentence a line, for methods that look at activations. */
  readonly calibration?: string;
}

/** What `export` wrote, and what of the checkpoint is not in it. */
export interface ExportReport {
  readonly version: 1;
  readonly out: string;
  readonly before: Sizes;
  readonly after: Sizes;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly skipped: readonly { readonly target: string; readonly reason: string; readonly sentence: Sentence }[];
  readonly seconds: number;
  readonly peakBytes: number;
}

/** How a comparison's second model was made, when that is known. */
export interface Made {
  readonly recipe: Recipe;
  readonly report: CompressReport;
  readonly command: string;
  /** Path of the text that methods ran the model on, where there was one. */
  readonly calibration?: string;
}

export interface EvaluateRequest {
  /** stsb:FILE.csv, sst2:FILE.tsv, text:FILE, or the path of a JSON that describes a task. */
  readonly task?: string;
  /** Texts given directly, for drift alone, in place of `task`: the sentences that come with the extension, or a selection. */
  readonly texts?: readonly string[];
  /** What the texts are called in the report. */
  readonly title?: string;
  /** Drift by layer too; needs `against`. */
  readonly layers?: boolean;
  /** The model whose outputs are the measure. */
  readonly against?: string;
  /** Default: the machine's cores, 4 at most. */
  readonly threads?: number;
  /** Texts run together. Default 32. */
  readonly batch?: number;
}

/** What a model runs on where it is looked into: neither of the two means the sentences that come with Headroom. */
export interface TextsRequest {
  readonly texts?: readonly string[];
  /** Path of a file, a sentence a line. */
  readonly calibration?: string;
}

/** What is tried on each part by itself. The model runs on 128 texts at most; the step's methods see those of `calibration` too. */
export interface SensitivityRequest extends TextsRequest {
  /** Of a pass with `include` and `exclude`; what these leave out is not tried. */
  readonly step: Step;
  readonly parts: PartsBy;
  /** The model whose outputs are the measure. Default: the model itself as it is. */
  readonly against?: string;
  /** The format that would be written: a step may do different things in each. Default: the model's. */
  readonly format?: 'onnx' | 'safetensors';
}

/** Which units are scored, by what, and on what text. */
export interface ScoresRequest {
  readonly pass: Scores['pass'];
  /** One of the pass's own choices of `by`. */
  readonly by: string;
  /** What the model runs on; 512 are looked at at most. With text the loss is measured too. */
  readonly texts?: readonly string[];
  /** The same from a file, a sentence a line. */
  readonly calibration?: string;
}

/** The sentences that come with Headroom. */
export interface OwnSentences {
  readonly texts: readonly string[];
  /** Those that the model's vocabulary has. */
  readonly languages: readonly ('en' | 'zh')[];
}

/** What a layer's heads look at in one text. */
export interface AttentionRequest {
  readonly text: string;
  readonly layer: number;
}

/**
 * What is kept beside a model as NAME.headroom.json: how it was made and what was measured, with everything that made it so.
 * `byteLength` and `fingerprint` (SHA-256 over samples spread through all of its files) say whether the model is still that one.
 */
export interface KeptRecord {
  readonly version: 1;
  readonly headroom: string;
  readonly model: { readonly name: string; readonly byteLength: number; readonly fingerprint: string };
  readonly made: Made | null;
  /** Newest first; one for each task and `against`. */
  readonly evaluations: readonly KeptEvaluation[];
}

export interface KeptEvaluation {
  readonly evaluation: Evaluation;
  /** The model it was held against, relative to the folder of the record where that is possible. */
  readonly against: string | null;
  /** SHA-256 of the texts. */
  readonly texts: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface SessionOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: ProgressEvent) => void) | undefined;
}

/** The facade over core: what the command line calls and the engine serves. Every path is a file or a folder of this machine. */
export interface Session extends Insides {
  inspect(path: string, options?: SessionOptions & { readonly stats?: boolean }): Promise<Summary>;
  passes(): Promise<readonly PassInfo[]>;
  /** A dry run has exact sizes and writes nothing; `steps` are the sizes after each step. */
  compress(request: CompressRequest, options?: SessionOptions): Promise<CompressReport & { readonly steps: readonly Sizes[] }>;
  /** A safetensors checkpoint as an ONNX model; `out` is a .onnx file or a folder. */
  export(path: string, out: string, options?: SessionOptions & { readonly force?: boolean }): Promise<ExportReport>;
  /** `layers`: for each layer of `after` the layer of `before` that it was, where layers are gone; rows then have the numbers of before. */
  compare(
    before: string,
    after: string,
    options?: SessionOptions & { readonly layers?: readonly number[] | undefined },
  ): Promise<Comparison>;
  /** One matrix or table of two models as it acts, by the id of its row: heat maps, levels, the worst channel. null where there is none. */
  matrixDiff(
    before: string,
    after: string,
    id: string,
    request: MatrixDiffRequest,
    options?: SessionOptions & { readonly layers?: readonly number[] | undefined },
  ): Promise<MatrixDiff | null>;
  /** Runs a model on texts: quality, speed, and how far its outputs lie from another's. */
  evaluate(path: string, request: EvaluateRequest, options?: SessionOptions): Promise<Evaluation>;
  /** Carries out a step on one part at a time and measures how far the model's outputs move. Nothing is written. */
  sensitivity(path: string, request: SensitivityRequest, options?: SessionOptions): Promise<Sensitivity>;
  /** What each head, neuron or layer is worth, and what goes with those that are worth least. */
  scores(path: string, request: ScoresRequest, options?: SessionOptions): Promise<Scores>;
  /** For every rank of a matrix of a layer what is lost of its outputs on text. 512 texts at most. */
  outputSpectrum(path: string, id: string, request: TextsRequest, options?: SessionOptions): Promise<OutputSpectrum>;
  /** Says in config.json how many heads each layer has, where nothing does; returns the folder of that file. throws 'usage' */
  stateHeads(path: string, heads: number): Promise<string>;
  /** The sentences that come with Headroom, in the languages of a model's vocabulary. */
  ownSentences(path: string): Promise<OwnSentences>;
  /** Runs one text and gives the attention of every head of a layer. */
  attention(path: string, request: AttentionRequest, options?: SessionOptions): Promise<AttentionMaps>;
  /** What was kept beside the model; `changed` when the model is no longer the one it tells of. null where there is none. */
  record(path: string, options?: SessionOptions): Promise<{ readonly record: KeptRecord; readonly changed: boolean } | null>;
  /** Writes NAME.headroom.json beside the model: `made` and the evaluation join what is there already. */
  keepRecord(
    path: string,
    kept: {
      readonly made?: Made;
      readonly evaluation?: Evaluation;
      readonly against?: string;
      readonly texts?: readonly string[];
      /** The `task` of the request, where the texts were not given directly. */
      readonly task?: string;
    },
  ): Promise<KeptRecord>;
  /** A comparison as a document to keep or to send, with what was measured where it was. */
  document(
    comparison: Comparison,
    made: Made | null,
    kind: 'markdown' | 'html' | 'json',
    measured?: Evaluation | null,
  ): Promise<string>;
  /** A model's sizes as a document to keep, to send, or to open in a spreadsheet. */
  summaryDocument(summary: Summary, kind: 'markdown' | 'csv' | 'json'): Promise<string>;
}

/** What is read on demand from a model's weights: tensors by their name in the file. */
export interface Insides {
  /** null for text, complex numbers and empty tensors. */
  statistics(path: string, tensor: string, options?: SessionOptions): Promise<TensorStatistics | null>;
  heatMap(path: string, tensor: string, request: HeatMapRequest, options?: SessionOptions): Promise<HeatMap | null>;
  values(path: string, tensor: string, request: ValuesRequest, options?: SessionOptions): Promise<ValuesPage>;
  /**
   * Streams the tensor as the file stores it into a .npy (NumPy format 1.0) or .csv file, by temp file and rename.
   * `widened`: the type the values were widened to, where theirs is not one of NumPy's.
   */
  exportTensor(
    path: string,
    tensor: string,
    kind: 'npy' | 'csv',
    out: string,
    options?: SessionOptions & { readonly force?: boolean },
  ): Promise<{ readonly out: string; readonly byteLength: number; readonly widened?: 'fp32' | 'int8' | 'uint8' }>;
  headMeasures(path: string, options?: SessionOptions): Promise<readonly HeadMeasure[]>;
  redundancy(path: string, options?: SessionOptions): Promise<Redundancy>;
  /** Exact, from the dry run of each pass with each set of options that makes sense; most saved first. */
  savings(path: string, options?: SessionOptions): Promise<readonly Saving[]>;
}
