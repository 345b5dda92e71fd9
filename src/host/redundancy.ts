import { basename } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { ProgressEvent, RedundancyEvents, RedundancyHostApi, RedundancyView, Summary } from '../protocol/messages.ts';
import { type Handlers, type Served, serve } from '../protocol/rpc.ts';
import { keptCalibration } from './calibration-text.ts';
import { CompressPanel } from './compress.ts';
import { type ModelDocument, refuseOtherSchemes } from './document.ts';
import { toFailure } from './failure.ts';
import { say } from './l10n.ts';
import { pageOptions, setPage } from './page.ts';
import { webviewPort } from './port.ts';
import type { Services } from './services.ts';
import { refuseUntrusted } from './trust.ts';
import { tryOut } from './try-out.ts';
import { panelTypes } from './view-types.ts';

type State =
  | { readonly state: 'idle'; readonly cancelled?: boolean }
  | { readonly state: 'running'; readonly progress: ProgressEvent | null; readonly started: number }
  | Ended;
type Ended =
  | Pick<Extract<RedundancyView, { state: 'ready' }>, 'state' | 'redundancy' | 'savings'>
  | Pick<Extract<RedundancyView, { state: 'failed' }>, 'state' | 'failure'>;

interface Kept {
  readonly path: string;
}

/** Where one model repeats itself: nothing is read before the person asks, and the work ends with the panel. */
export class RedundancyPanel {
  static readonly #open = new Map<string, RedundancyPanel>();
  readonly #services: Services;
  readonly #panel: vscode.WebviewPanel;
  readonly #model: ModelDocument;
  readonly #page: Served<RedundancyEvents>;
  #state: State = { state: 'idle' };
  /** Of the file as it was when the results were asked for. */
  #summary: Summary | undefined;
  #running: AbortController | undefined;

  static async open(services: Services, uri: vscode.Uri): Promise<void> {
    try {
      refuseOtherSchemes(uri);
    } catch (error) {
      await services.log.tell(`redundancy of ${uri.fsPath}`, toFailure(error));
      return;
    }
    const there = RedundancyPanel.#open.get(uri.fsPath);
    if (there) there.#panel.reveal();
    else {
      const title = say(sentence('Redundancy in {name}', { name: basename(uri.fsPath) }));
      const panel = vscode.window.createWebviewPanel(panelTypes.redundancy, title, vscode.ViewColumn.Active);
      new RedundancyPanel(services, panel, uri);
    }
  }

  static registerSerializer(services: Services): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(panelTypes.redundancy, {
      deserializeWebviewPanel: async (panel, state: { kept?: Kept } | undefined) => {
        if (state?.kept) new RedundancyPanel(services, panel, vscode.Uri.file(state.kept.path));
        else panel.dispose();
      },
    });
  }

  private constructor(services: Services, panel: vscode.WebviewPanel, uri: vscode.Uri) {
    this.#services = services;
    this.#panel = panel;
    this.#model = services.documents.acquire(uri);
    this.#summary = this.#model.summary;
    const known = this.#model.knownRepetition;
    if (known) this.#state = { state: 'ready', ...known };
    RedundancyPanel.#open.set(uri.fsPath, this);
    panel.iconPath = vscode.Uri.joinPath(services.context.extensionUri, 'media', 'icon.png');
    panel.webview.options = pageOptions(services.context.extensionUri);
    this.#page = serve<RedundancyHostApi, RedundancyEvents>(webviewPort(panel.webview), this.#api(), toFailure);
    const following = this.#model.onDidChange(() => this.#follow());
    panel.onDidChangeViewState(() => panel.visible && this.#page.emit('view', this.#view()));
    panel.onDidDispose(() => {
      RedundancyPanel.#open.delete(uri.fsPath);
      this.#running?.abort();
      following.dispose();
      services.documents.release(this.#model);
    });
    setPage(panel.webview, services.context.extensionUri, 'redundancy', { path: uri.fsPath } satisfies Kept);
  }

  #view(): RedundancyView {
    const { view, summary } = this.#model;
    const name = basename(this.#model.uri.fsPath);
    const fileBytes = summary?.file.byteLength ?? (view.state === 'ready' ? 0 : (view.byteLength ?? 0));
    const changedOnDisk = view.state === 'ready' && (view.changedOnDisk || view.deleted);
    if (view.state === 'failed') return { name, fileBytes, changedOnDisk, state: 'failed', failure: view.failure };
    if (this.#state.state !== 'running') return { name, fileBytes, changedOnDisk, ...this.#state };
    const { state, progress, started } = this.#state;
    return { name, fileBytes, changedOnDisk, state, progress, elapsedMs: performance.now() - started };
  }

  /** The file is read anew, here or in an editor: results of the file as it was are gone. */
  #follow(): void {
    const { summary } = this.#model;
    if (summary && this.#summary && summary !== this.#summary) {
      this.#running?.abort();
      this.#state = { state: 'idle' };
    }
    this.#summary = summary ?? this.#summary;
    this.#page.emit('view', this.#view());
  }

  #show(state: State): void {
    this.#state = state;
    this.#page.emit('view', this.#view());
  }

  async #run(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const started = performance.now();
    this.#show({ state: 'running', progress: null, started });
    void this.#compute(running.signal, started);
  }

  async #compute(signal: AbortSignal, started: number): Promise<void> {
    const progress = (event: ProgressEvent): void => {
      if (signal.aborted) return;
      this.#state = { state: 'running', progress: event, started };
      this.#page.emit('progress', event);
    };
    try {
      const found = await this.#model.repetition({ signal, progress });
      if (!signal.aborted) this.#show({ state: 'ready', ...found });
    } catch (error) {
      if (signal.aborted) return;
      const failure = toFailure(error);
      this.#services.log.failed(`redundancy of ${this.#model.uri.fsPath}`, failure);
      this.#show({ state: 'failed', failure });
    }
  }

  #api(): Handlers<RedundancyHostApi> {
    let trial: AbortController | undefined;
    const copy = async (text: string) => vscode.env.clipboard.writeText(String(text));
    return {
      view: async () => this.#view(),
      run: () => this.#run(),
      cancel: async () => {
        this.#running?.abort();
        this.#show({ state: 'idle', cancelled: true });
      },
      // Not awaited: the form is a panel of its own.
      openCompress: async (pass, options) =>
        void CompressPanel.open(this.#services, this.#model.uri, { version: 1, steps: [{ pass, options }] }),
      tryStep: async step => {
        trial?.abort();
        trial = new AbortController();
        const recipe = { version: 1 as const, steps: [{ pass: String(step.pass), options: step.options }] };
        return tryOut(this.#services, { path: this.#model.uri.fsPath, recipe }, trial.signal);
      },
      outputSpectrum: async (id, following) => {
        await refuseUntrusted(sentence('A model is run only in a folder that is trusted.'));
        const calibration = await keptCalibration(this.#services.context);
        return this.#model.outputSpectrum(String(id), calibration, following ?? {});
      },
      copyMarkdown: copy,
      copyText: copy,
      reload: () => this.#model.reload(),
      showLog: async () => this.#services.log.show(),
    };
  }
}
