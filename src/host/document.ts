import { basename } from 'node:path';
import * as vscode from 'vscode';
import { fail } from '../core/errors.ts';
import type {
  EditorView,
  EngineApi,
  HeadMeasure,
  HeatMap,
  HeatMapRequest,
  OutputSpectrum,
  ProgressEvent,
  Redundancy,
  Saving,
  Scores,
  ScoresQuestion,
  Summary,
  TensorStatistics,
  ValuesPage,
  ValuesRequest,
} from '../protocol/messages.ts';
import { Answers } from './answers.ts';
import { toFailure } from './failure.ts';
import type { Log } from './log.ts';
import { type FileState, sameState, stateOf, watchFile } from './watch.ts';

interface Following {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: ProgressEvent) => void) | undefined;
}

/** Where a model repeats itself, and what could be saved. */
export interface Repetition {
  readonly redundancy: Redundancy;
  readonly savings: readonly Saving[];
}

/** Of the whole progress, the part that reads the weights; the dry runs after it read next to nothing. */
const redundancyShare = 0.9;

/** One model that is open, however many editors show it: inspected once, watched once, and asked once what reads all of its weights. */
export class ModelDocument {
  readonly uri: vscode.Uri;
  readonly #engine: EngineApi;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<EditorView>();
  readonly onDidChange = this.#changed.event;
  readonly #watcher: vscode.Disposable | undefined;
  #view: EditorView;
  /** As it was when it was inspected. */
  #seen: FileState | undefined;
  #inspection: AbortController | undefined;
  readonly #answers = new Answers();

  constructor(uri: vscode.Uri, engine: EngineApi, log: Log) {
    this.uri = uri;
    this.#engine = engine;
    this.#log = log;
    this.#view = { state: 'opening', name: basename(uri.path) };
    if (uri.scheme === 'file') this.#watcher = watchFile(uri, state => this.#look(state));
    void this.reload();
  }

  get view(): EditorView {
    return this.#view;
  }

  /** The sizes, when they are known. */
  get summary(): Summary | undefined {
    return this.#view.state === 'ready' ? this.#view.summary : undefined;
  }

  statistics(tensor: string, following: Following): Promise<TensorStatistics | null> {
    return this.#answers.of(`statistics ${tensor}`, () => this.#engine.statistics(this.uri.fsPath, tensor, following));
  }

  /** `calibration`: path of a text; '' for the sentences that come with Headroom. */
  outputSpectrum(id: string, calibration: string, following: Following): Promise<OutputSpectrum> {
    const request = calibration === '' ? {} : { calibration };
    return this.#answers.of(`outputs ${id} ${calibration}`, () =>
      this.#engine.outputSpectrum(this.uri.fsPath, id, request, following),
    );
  }

  headMeasures(following: Following): Promise<readonly HeadMeasure[]> {
    return this.#answers.of('head measures', () => this.#engine.headMeasures(this.uri.fsPath, following));
  }

  /** `text` is an absolute path, '' or null. */
  scores({ pass, by, text }: ScoresQuestion, following: Following): Promise<Scores> {
    const path = this.uri.fsPath;
    return this.#answers.of(`scores ${pass} ${by} ${JSON.stringify(text)}`, async () => {
      if (text === null) return this.#engine.scores(path, { pass, by }, following);
      const on = text === '' ? { texts: (await this.#engine.ownSentences(path)).texts } : { calibration: text };
      return this.#engine.scores(path, { pass, by, ...on }, following);
    });
  }

  heatMap(tensor: string, request: HeatMapRequest, following: Following): Promise<HeatMap | null> {
    return this.#engine.heatMap(this.uri.fsPath, tensor, request, following);
  }

  values(tensor: string, request: ValuesRequest, following: Following): Promise<ValuesPage> {
    return this.#engine.values(this.uri.fsPath, tensor, request, following);
  }

  repetition({ signal, progress }: Following): Promise<Repetition> {
    const path = this.uri.fsPath;
    const part = (from: number, to: number) => (event: ProgressEvent) =>
      progress?.({ ...event, fraction: from + (event.fraction ?? 0) * (to - from) });
    return this.#answers.of('repetition', async () => {
      const redundancy = await this.#engine.redundancy(path, { signal, progress: part(0, redundancyShare) });
      const savings = await this.#engine.savings(path, { signal, progress: part(redundancyShare, 1) });
      return { redundancy, savings };
    });
  }

  /** As far as it was asked for and still holds. */
  get knownRepetition(): Repetition | undefined {
    return this.#answers.known('repetition');
  }

  async reload(): Promise<void> {
    this.#answers.drop();
    this.#inspection?.abort();
    const inspection = new AbortController();
    this.#inspection = inspection;
    const view = await this.#inspect(inspection.signal);
    if (inspection.signal.aborted) return;
    this.#show(view);
    void this.recall();
  }

  /** Reads what was kept beside the model; the sizes do not wait for it. */
  async recall(): Promise<void> {
    const inspection = this.#inspection;
    if (this.#view.state !== 'ready' || this.uri.scheme !== 'file') return;
    const kept = await this.#engine.record(this.uri.fsPath).catch(error => ({ failure: toFailure(error) }));
    if (inspection !== this.#inspection || this.#view.state !== 'ready') return;
    if (kept && 'failure' in kept) this.#log.failed(`read the record beside ${this.uri.fsPath}`, kept.failure);
    // What is damaged is told; an engine that was stopped meanwhile is no news of this model.
    if (kept && (!('failure' in kept) || kept.failure.code === 'malformed')) this.#show({ ...this.#view, kept });
  }

  dispose(): void {
    this.#inspection?.abort();
    this.#watcher?.dispose();
    this.#changed.dispose();
  }

  async #inspect(signal: AbortSignal): Promise<EditorView> {
    const name = basename(this.uri.path);
    this.#seen = await stateOf(this.uri.fsPath);
    const size = this.#seen && { byteLength: this.#seen.byteLength };
    try {
      refuseOtherSchemes(this.uri);
      this.#show({ state: 'opening', name, ...size });
      const summary = await this.#engine.inspect(this.uri.fsPath, { signal });
      return { state: 'ready', name, summary, changedOnDisk: false, deleted: false };
    } catch (error) {
      const failure = toFailure(error);
      if (!signal.aborted) this.#log.failed(`open ${this.uri.fsPath}`, failure);
      return { state: 'failed', name, ...size, failure };
    }
  }

  #look(state: FileState | undefined): void {
    const changed = !sameState(state, this.#seen);
    if (changed) this.#answers.drop();
    if (this.#view.state === 'ready')
      this.#show({ ...this.#view, deleted: state === undefined, changedOnDisk: state !== undefined && changed });
    // A broken or missing file that has changed may be whole now: a download that went on, a pointer that was fetched.
    else if (this.#view.state === 'failed' && state && changed) void this.reload();
  }

  #show(view: EditorView): void {
    this.#view = view;
    this.#changed.fire(view);
  }
}

/** Reading in ranges needs a file on this machine. throws 'unsupported' */
export function refuseOtherSchemes(uri: vscode.Uri): void {
  if (uri.scheme === 'file') return;
  throw fail(
    'unsupported',
    'Only files on disk can be opened for now. This one is in a virtual folder ({scheme}).',
    { scheme: uri.scheme },
    { file: basename(uri.path) },
  );
}

/** The documents that are open, one for each file, each for as long as somebody uses it. */
export class Documents {
  readonly #open = new Map<string, { readonly document: ModelDocument; users: number }>();
  readonly #make: (uri: vscode.Uri) => ModelDocument;

  constructor(make: (uri: vscode.Uri) => ModelDocument) {
    this.#make = make;
  }

  /** To be released by `release`, once. */
  acquire(uri: vscode.Uri): ModelDocument {
    const key = uri.toString();
    const entry = this.#open.get(key) ?? { document: this.#make(uri), users: 0 };
    this.#open.set(key, entry);
    entry.users += 1;
    return entry.document;
  }

  release(document: ModelDocument): void {
    const key = document.uri.toString();
    const entry = this.#open.get(key);
    if (!entry) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#open.delete(key);
    document.dispose();
  }

  find(uri: vscode.Uri): ModelDocument | undefined {
    return this.#open.get(uri.toString())?.document;
  }

  /** What is kept beside this file has changed. */
  recall(path: string): void {
    void this.find(vscode.Uri.file(path))?.recall();
  }

  get uris(): vscode.Uri[] {
    return [...this.#open.values()].map(({ document }) => document.uri);
  }
}
