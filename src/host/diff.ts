import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { fail, sentence } from '../core/errors.ts';
import { lineageIn, lineageOf } from '../protocol/lineage.ts';
import type { Comparison, DiffEvents, DiffHostApi, DiffView, Evaluation, Made, ProgressEvent } from '../protocol/messages.ts';
import { type Handlers, type Served, serve } from '../protocol/rpc.ts';
import { AttentionPanel } from './attention.ts';
import { toFailure } from './failure.ts';
import { madeOf, recall } from './kept.ts';
import { say } from './l10n.ts';
import { Measuring } from './measuring.ts';
import { pageOptions, setPage } from './page.ts';
import { webviewPort } from './port.ts';
import { predictionFor } from './predictions.ts';
import { saveReport } from './save-report.ts';
import type { Services } from './services.ts';
import { panelTypes, viewTypes } from './view-types.ts';
import { type FileState, sameState, stateOf, watchFile } from './watch.ts';

/** What a diff panel shows, and all that is needed to show it again after a reload. */
export interface DiffSubject {
  /** Absolute paths. */
  readonly before: string;
  readonly after: string;
  /** How `after` was made, when Headroom made it. */
  readonly made: Made | null;
}

/** Two models side by side, in a panel of our own: VS Code's own diff would open two editors that know nothing of each other. */
export class DiffPanel {
  static readonly #open = new Set<DiffPanel>();
  readonly #services: Services;
  readonly #panel: vscode.WebviewPanel;
  readonly #page: Served<DiffEvents>;
  readonly #disposables: vscode.Disposable[] = [];
  readonly #seen = new Map<string, FileState | undefined>();
  #subject: DiffSubject;
  #view: DiffView;
  #comparing: AbortController | undefined;
  /** For each layer of the second model the layer of the first that it was, where some are gone. */
  #layers: readonly number[] | undefined;
  readonly #measuring: Measuring;

  /** Shows the comparison; a panel that shows these two already is brought to front and compares anew. */
  static open(services: Services, subject: DiffSubject): void {
    const same = [...DiffPanel.#open].find(
      each => each.#subject.before === subject.before && each.#subject.after === subject.after,
    );
    if (same) {
      same.#subject = { ...subject, made: subject.made ?? same.#subject.made };
      same.#panel.reveal();
      same.#draw();
      void same.#compare();
      return;
    }
    new DiffPanel(
      services,
      vscode.window.createWebviewPanel(panelTypes.diff, titleOf(subject), vscode.ViewColumn.Active),
      subject,
    );
  }

  static registerSerializer(services: Services): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(panelTypes.diff, {
      deserializeWebviewPanel: async (panel, state: { kept?: DiffSubject } | undefined) => {
        if (state?.kept) new DiffPanel(services, panel, state.kept);
        else panel.dispose();
      },
    });
  }

  private constructor(services: Services, panel: vscode.WebviewPanel, subject: DiffSubject) {
    this.#services = services;
    this.#panel = panel;
    this.#subject = subject;
    this.#view = { state: 'opening', names: namesOf(subject), progress: null };
    this.#measuring = new Measuring(services, subject.before, subject.after, measurement => {
      if (this.#view.state !== 'ready') return;
      this.#view = { ...this.#view, measurement };
      this.#page.emit('measurement', measurement);
    });
    DiffPanel.#open.add(this);
    panel.iconPath = vscode.Uri.joinPath(services.context.extensionUri, 'media', 'icon.png');
    panel.webview.options = pageOptions(services.context.extensionUri);
    this.#page = serve<DiffHostApi, DiffEvents>(webviewPort(panel.webview), this.#api(), toFailure);
    panel.onDidChangeViewState(() => panel.visible && this.#page.emit('view', this.#view));
    panel.onDidDispose(() => this.#dispose());
    for (const path of new Set([subject.before, subject.after]))
      this.#disposables.push(watchFile(vscode.Uri.file(path), state => this.#look(path, state)));
    this.#draw();
    void this.#compare();
  }

  /** The page's html; it carries the subject, so it is drawn anew when that changes. */
  #draw(): void {
    setPage(this.#panel.webview, this.#services.context.extensionUri, 'diff', this.#subject);
  }

  async #compare(): Promise<void> {
    this.#comparing?.abort();
    const comparing = new AbortController();
    this.#comparing = comparing;
    this.#measuring.forget();
    const { before, after } = this.#subject;
    const names = namesOf(this.#subject);
    const opening = (progress: ProgressEvent | null) => {
      if (!comparing.signal.aborted) this.#show({ state: 'opening', names, progress });
    };
    opening(null);
    for (const path of [before, after]) this.#seen.set(path, await stateOf(path));
    try {
      const { api } = this.#services.engine;
      const following = { signal: comparing.signal, progress: opening };
      const told = await this.#madeTold();
      this.#layers = told && (await this.#layersOf(told));
      let comparison = await api.compare(before, after, { ...following, layers: this.#layers });
      const made = told?.report.before.fileBytes === comparison.totals.before.fileBytes ? told : null;
      if (!made && this.#layers) {
        this.#layers = undefined;
        comparison = await api.compare(before, after, following);
      }
      if (comparing.signal.aborted) return;
      this.#subject = { ...this.#subject, made };
      const { measurement } = this.#measuring;
      const predicted = made ? predictionFor(before, made.recipe) : undefined;
      this.#show({
        state: 'ready',
        comparison,
        made,
        changedOnDisk: false,
        measurement,
        ...(predicted !== undefined && { predicted }),
      });
      const { totals } = comparison;
      // What Headroom made is measured at once; of any other two models the person says whether.
      void this.#measuring.begin(made !== null, [totals.before.fileBytes, totals.after.fileBytes]);
    } catch (error) {
      if (comparing.signal.aborted) return;
      const failure = toFailure(error);
      this.#services.log.failed(`compare ${before} with ${after}`, failure);
      this.#show({ state: 'failed', names, failure });
    }
  }

  /** Told by the run that has just ended, or by the record beside the result while that tells of this very file. */
  async #madeTold(): Promise<Made | undefined> {
    const { before, after, made } = this.#subject;
    if (made) return made;
    const found = await recall(this.#services, after);
    if (!found || found.changed) return undefined;
    return (await madeOf(this.#services, found.record, before, after)) ?? undefined;
  }

  /** Where layers went, when some did: what stayed is compared with itself. */
  async #layersOf({ report }: Made): Promise<readonly number[] | undefined> {
    if (!report.edits.some(({ kind }) => kind === 'remove-layers')) return undefined;
    const { model } = await this.#services.engine.api.inspect(this.#subject.before);
    return lineageOf(report.edits, model.heads)?.layers;
  }

  #look(path: string, state: FileState | undefined): void {
    const changed = !sameState(state, this.#seen.get(path));
    if (this.#view.state === 'ready') this.#show({ ...this.#view, changedOnDisk: changed });
    else if (this.#view.state === 'failed' && state && changed) void this.#compare();
  }

  #show(view: DiffView): void {
    this.#view = view;
    this.#page.emit('view', view);
  }

  #api(): Handlers<DiffHostApi> {
    const { engine, log } = this.#services;
    const open = (path: string) => vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(path), editorFor(path));
    return {
      view: async () => this.#view,
      reload: () => this.#compare(),
      copyMarkdown: async () =>
        vscode.env.clipboard.writeText(
          await engine.api.document(this.#comparison(), this.#subject.made, 'markdown', this.#measured()),
        ),
      saveReport: async () => {
        const comparison = this.#comparison();
        await saveReport(dirname(this.#subject.after), namesOf(this.#subject), kind =>
          engine.api.document(comparison, this.#subject.made, kind, this.#measured()),
        );
      },
      copyCommand: async () => vscode.env.clipboard.writeText(this.#subject.made?.command ?? ''),
      openResult: async () => void (await open(this.#subject.after)),
      openOriginal: async () => void (await open(this.#subject.before)),
      copyText: async text => vscode.env.clipboard.writeText(String(text)),
      showLog: async () => log.show(),
      matrixDiff: (id, request, following) => {
        const { before, after } = this.#subject;
        return engine.api.matrixDiff(before, after, String(id), request, { ...following, layers: this.#layers });
      },
      // Not awaited: the work reports by itself.
      measure: async () => {
        void this.#measuring.choose().catch(error => {
          const failure = toFailure(error);
          if (failure.code !== 'cancelled') void log.tell(`measure ${this.#subject.after}`, failure);
        });
      },
      cancelMeasuring: async () => this.#measuring.cancel(),
      openAttention: async (layer, head) => {
        const { before, after } = this.#subject;
        void AttentionPanel.open(this.#services, {
          paths: [before, after],
          layer: Number(layer),
          head: head === null ? null : Number(head),
          lineage: this.#view.state === 'ready' ? lineageIn(this.#view.comparison, this.#subject.made) : undefined,
        });
      },
    };
  }

  /** What was measured of these two files as they are, said as a person reads it. */
  #measured(): Evaluation | null {
    const { measurement } = this.#measuring;
    if (measurement.state !== 'done' || measurement.changed) return null;
    const { evaluation } = measurement.kept;
    return { ...evaluation, task: say({ text: evaluation.task }) };
  }

  #comparison(): Comparison {
    if (this.#view.state === 'ready') return this.#view.comparison;
    throw fail('io', 'There is nothing to report yet: the two models are not compared.');
  }

  #dispose(): void {
    DiffPanel.#open.delete(this);
    this.#comparing?.abort();
    this.#measuring.dispose();
    for (const each of this.#disposables) each.dispose();
  }
}

/** Two files of one name are told apart by their folders. */
function namesOf({ before, after }: DiffSubject): { before: string; after: string } {
  const [a, b] = [basename(before), basename(after)];
  if (a !== b) return { before: a, after: b };
  return { before: `${basename(dirname(before))}/${a}`, after: `${basename(dirname(after))}/${b}` };
}

function titleOf(subject: DiffSubject): string {
  const { before, after } = namesOf(subject);
  return say(sentence('{before} ↔ {after}', { before, after }));
}

export const editorFor = (path: string): string => (/\.(onnx|safetensors)$/i.test(path) ? viewTypes.model : viewTypes.any);
