import type { Sentence } from '../core/errors.ts';
import type { Comparison, CompressReport, Sizes } from '../core/report/comparison.ts';
import type {
  HeadMeasure,
  HeatMap,
  HeatMapRequest,
  MatrixDiff,
  MatrixDiffRequest,
  TensorStatistics,
  ValuesPage,
  ValuesRequest,
  Window,
} from '../core/report/inside.ts';
import type { OutputSpectrum } from '../core/report/output-spectrum.ts';
import type { Redundancy, Saving } from '../core/report/redundancy.ts';
import type { LossCurve, Scores } from '../core/report/scores.ts';
import type { PartsBy, Sensitivity, SensitivityRow } from '../core/report/sensitivity.ts';
import type { Summary } from '../core/report/tree.ts';
import type {
  AttentionRequest,
  CompressRequest,
  EvaluateRequest,
  Failure,
  KeptEvaluation,
  KeptRecord,
  Made,
  PassInfo,
  ProgressEvent,
  Recipe,
  Session,
  Step,
} from '../core/session/types.ts';

export type {
  AttentionRequest,
  Comparison,
  CompressReport,
  CompressRequest,
  EvaluateRequest,
  Failure,
  HeadMeasure,
  HeatMap,
  HeatMapRequest,
  KeptEvaluation,
  KeptRecord,
  LossCurve,
  Made,
  MatrixDiff,
  MatrixDiffRequest,
  OutputSpectrum,
  PartsBy,
  PassInfo,
  ProgressEvent,
  Recipe,
  Redundancy,
  Saving,
  Scores,
  Sensitivity,
  SensitivityRow,
  Session,
  Step,
  Summary,
  TensorStatistics,
  ValuesPage,
  ValuesRequest,
  Window,
};

// Plain data only: everything here survives structuredClone and JSON.

export type Evaluation = KeptEvaluation['evaluation'];
export type LayerDrift = NonNullable<Evaluation['layers']>[number];
export type AttentionMaps = Awaited<ReturnType<Session['attention']>>;

/** What the engine process serves to the host: the session itself. The signal becomes a cancel message, progress becomes events. */
export type EngineApi = Session;

// --- editor: webview <-> host

/** What an editor shows now. Sent by the host whenever it changes, and on request after a reload. */
export type EditorView =
  | { readonly state: 'opening'; readonly name: string; readonly byteLength?: number }
  | {
      readonly state: 'ready';
      readonly name: string;
      readonly summary: Summary;
      readonly changedOnDisk: boolean;
      readonly deleted: boolean;
      /** What was kept beside the model; a failure where that is damaged. Absent until it is read, and where there is nothing. */
      readonly kept?: { readonly record: KeptRecord; readonly changed: boolean } | { readonly failure: Failure };
    }
  | { readonly state: 'failed'; readonly name: string; readonly byteLength?: number; readonly failure: Failure };

export interface ScoresQuestion {
  readonly pass: Scores['pass'];
  readonly by: string;
  /** Path of a text; '' for the sentences that come with Headroom; null where the model is not run. */
  readonly text: string | null;
}

export interface EditorHostApi {
  view(): Promise<EditorView>;
  reload(): Promise<void>;
  quantize(): Promise<void>;
  /** The form, with one step in its recipe where one is given. `text`: what its units were scored on, as in `ScoresQuestion`; `predicted`: the cosine it was said to have. */
  openCompress(step?: Step, text?: string | null, predicted?: number): Promise<void>;
  /** The exact sizes after one step; nothing is written. A newer question ends an older one. */
  tryStep(step: Step): Promise<DryRun>;
  openCompare(): Promise<void>;
  copyText(text: string): Promise<void>;
  showLog(): Promise<void>;
  // Inside the model that is open: tensors by their name in the file. What reads weights takes { signal, progress } last.
  /** null for text, complex numbers and empty tensors. */
  statistics(tensor: string): Promise<TensorStatistics | null>;
  heatMap(tensor: string, request: HeatMapRequest): Promise<HeatMap | null>;
  values(tensor: string, request: ValuesRequest): Promise<ValuesPage>;
  /** The host asks where; null when the person did not say. */
  exportTensor(tensor: string, kind: 'npy' | 'csv'): Promise<{ readonly out: string; readonly byteLength: number } | null>;
  headMeasures(): Promise<readonly HeadMeasure[]>;
  /** Says in config.json beside the model how many heads each layer has, and looks at the model again. */
  stateHeads(heads: number): Promise<void>;
  /** What each unit is worth. Takes { signal, progress } last. */
  scores(question: ScoresQuestion): Promise<Scores>;
  /** Path of the text that was last chosen in this workspace; '' for none. */
  scoreText(): Promise<string>;
  /** The person chooses a text; null when they did not. */
  chooseScoreText(current: string): Promise<string | null>;
  openRedundancy(): Promise<void>;
  /** The Compress form, at what each part costs. */
  openSensitivity(): Promise<void>;
  /** The comparison with the model that the newest measurement was held against. */
  openMeasured(): Promise<void>;
  /** What a head looks at; all heads of the layer without one. */
  openAttention(layer: number, head: number | null): Promise<void>;
}
export interface EditorEvents {
  view: EditorView;
  /** Ctrl+F from the host's keybinding, or a command from the title menu. */
  focusFilter: null;
}

// --- compress form: webview <-> host

export interface CompressView {
  readonly name: string;
  readonly path: string;
  readonly parameters: number;
  readonly fileBytes: number;
  readonly format: 'onnx' | 'safetensors';
  readonly passes: readonly PassInfo[];
  readonly recipe: Recipe;
  readonly out: string;
  readonly outFormat: 'onnx' | 'safetensors';
  /** Path of the text that methods run the model on, as it was last chosen in this workspace; '' for none. */
  readonly calibration: string;
  /** What is running, if anything: the page may be reopened in mid-work. */
  readonly running: ProgressEvent | null;
  readonly sensitivity: SensitivityView;
  /** Did the person ask for what each part costs, and the page has not said `sensitivityShown` yet? */
  readonly showsSensitivity?: boolean;
}

/** What is tried on each part by itself. */
export interface SensitivityQuestion {
  readonly step: Step;
  readonly parts: PartsBy;
  /** Path of the text the model runs on and the step's methods see, or '': then the model runs on the sentences that come with Headroom. */
  readonly calibration: string;
  readonly format: 'onnx' | 'safetensors';
}
/** What each part of the model costs; asked for by the person, and kept while the form is open. */
export type SensitivityView =
  | { readonly state: 'none'; readonly cancelled?: boolean }
  | ({ readonly asked: SensitivityQuestion } & (
      | { readonly state: 'running'; readonly progress: ProgressEvent | null; readonly elapsedMs: number }
      | { readonly state: 'done'; readonly sensitivity: Sensitivity }
      | { readonly state: 'failed'; readonly failure: Failure }
    ));
export interface DryRun {
  readonly report: CompressReport | null;
  readonly failure: Failure | null;
  /** Sizes after each step, for the bars. */
  readonly steps: readonly Sizes[];
}
export interface CompressHostApi {
  view(): Promise<CompressView>;
  /** `calibration` is a path, or '' for none; one that is relative begins at the model's folder. */
  dryRun(recipe: Recipe, out: string, format: 'onnx' | 'safetensors', calibration: string): Promise<DryRun>;
  /** Resolves when done; the diff opens by itself. Rejects with a Failure. */
  run(recipe: Recipe, out: string, format: 'onnx' | 'safetensors', calibration: string): Promise<CompressReport>;
  cancel(): Promise<void>;
  /** Measures what each part costs; an older question ends. Resolves once it runs: what follows is told by events. */
  measureSensitivity(question: SensitivityQuestion): Promise<void>;
  cancelSensitivity(): Promise<void>;
  sensitivityShown(): Promise<void>;
  /** Where the result of a recipe goes unless the person says otherwise. */
  proposeOut(recipe: Recipe, format: 'onnx' | 'safetensors'): Promise<string>;
  chooseOut(out: string): Promise<string | null>;
  /** The person chooses a file to read; null when they did not. `current` is what stands there now. */
  chooseFile(current: string): Promise<string | null>;
  /** The same for the calibration text, which is remembered for the workspace. */
  chooseCalibration(current: string): Promise<string | null>;
  /** Path of the sentences that come with the extension, in the languages that the model's vocabulary has. */
  ownSentences(): Promise<string>;
  copyCommand(recipe: Recipe, out: string, calibration: string): Promise<void>;
  saveRecipe(recipe: Recipe): Promise<void>;
  openResult(out: string): Promise<void>;
  showLog(): Promise<void>;
}
export interface CompressEvents {
  view: CompressView;
  progress: ProgressEvent;
  sensitivity: SensitivityView;
}

// --- diff panel: webview <-> host

/** What is known of how the second model behaves beside the first. */
export type Measurement =
  /** `why`: it did not begin by itself, for this reason. */
  | { readonly state: 'none'; readonly why?: Sentence }
  | { readonly state: 'running'; readonly title: string; readonly progress: ProgressEvent | null }
  | { readonly state: 'cancelled' }
  | { readonly state: 'failed'; readonly failure: Failure }
  | {
      readonly state: 'done';
      readonly kept: KeptEvaluation;
      /** One of the models is no longer the one that was measured. */
      readonly changed: boolean;
      /** Why it could not be kept beside the model. */
      readonly unkept?: Failure;
    };

export type DiffView =
  | {
      readonly state: 'opening';
      readonly names: { readonly before: string; readonly after: string };
      readonly progress: ProgressEvent | null;
    }
  | {
      readonly state: 'ready';
      readonly comparison: Comparison;
      /** How it was made, when Headroom made it just now: recipe, seconds, peak, what was left alone. */
      readonly made: Made | null;
      readonly changedOnDisk: boolean;
      readonly measurement?: Measurement;
      /** The cosine that was predicted for what was pruned, without repair. */
      readonly predicted?: number;
    }
  | { readonly state: 'failed'; readonly names: { readonly before: string; readonly after: string }; readonly failure: Failure };

export interface DiffHostApi {
  view(): Promise<DiffView>;
  reload(): Promise<void>;
  copyMarkdown(): Promise<void>;
  saveReport(): Promise<void>;
  copyCommand(): Promise<void>;
  openResult(): Promise<void>;
  openOriginal(): Promise<void>;
  copyText(text: string): Promise<void>;
  showLog(): Promise<void>;
  /** One matrix or table in both models, by the id of its row. Takes { signal, progress } last. */
  matrixDiff(id: string, request: MatrixDiffRequest): Promise<MatrixDiff | null>;
  /** Asks what to measure on, and begins. */
  measure(): Promise<void>;
  cancelMeasuring(): Promise<void>;
  openAttention(layer: number, head: number | null): Promise<void>;
}
export interface DiffEvents {
  view: DiffView;
  /** Changes of `measurement` alone: the comparison is not sent again for each step. */
  measurement: Measurement;
}

// --- attention panel: webview <-> host

/** One model, or two side by side. Nothing is run before the person gives a sentence. */
export interface AttentionView {
  readonly names: readonly string[];
  readonly layer: number;
  /** null: all heads of the layer. */
  readonly head: number | null;
  /** Layers of each model. */
  readonly layers: readonly number[];
  /** The last one that was given. */
  readonly text: string;
}
export interface AttentionHostApi {
  view(): Promise<AttentionView>;
  /** The maps of each model, in the order of `names`; null for a model that has no such layer. */
  attention(request: AttentionRequest): Promise<readonly (AttentionMaps | null)[]>;
  /** What was chosen, kept for when the panel comes back. */
  keep(layer: number, head: number | null, text: string): Promise<void>;
  copyText(text: string): Promise<void>;
  showLog(): Promise<void>;
}
export interface AttentionEvents {
  view: AttentionView;
}

// --- redundancy panel: webview <-> host

/** What the panel shows now. Nothing is computed before the person asks for it. */
export type RedundancyView = {
  readonly name: string;
  /** Bytes of all files of the model. */
  readonly fileBytes: number;
  readonly changedOnDisk: boolean;
} & (
  | { readonly state: 'idle'; readonly cancelled?: boolean }
  | { readonly state: 'running'; readonly progress: ProgressEvent | null; readonly elapsedMs?: number }
  | { readonly state: 'ready'; readonly redundancy: Redundancy; readonly savings: readonly Saving[] }
  | { readonly state: 'failed'; readonly failure: Failure }
);

export interface RedundancyHostApi {
  view(): Promise<RedundancyView>;
  /** Computes `redundancy` and `savings`; the view goes to running, then to ready or failed. Resolves once it runs. */
  run(): Promise<void>;
  /** The view goes back to idle. */
  cancel(): Promise<void>;
  /** Opens the Compress form of this model with one step in its recipe. */
  openCompress(pass: string, options: Readonly<Record<string, unknown>>): Promise<void>;
  /** The exact sizes after one step; nothing is written. A newer question ends an older one. */
  tryStep(step: Step): Promise<DryRun>;
  /**
   * What the ranks of a matrix lose of its outputs on the calibration text of this workspace, or on the sentences that come with
   * Headroom. Takes { signal, progress } last.
   */
  outputSpectrum(id: string): Promise<OutputSpectrum>;
  /** The results as a Markdown document, on the clipboard; made by the page, which has the words in the person's language. */
  copyMarkdown(markdown: string): Promise<void>;
  copyText(text: string): Promise<void>;
  /** Looks at the file again: the results that are shown belong to the file as it was. */
  reload(): Promise<void>;
  showLog(): Promise<void>;
}
export interface RedundancyEvents {
  view: RedundancyView;
  progress: ProgressEvent;
}
