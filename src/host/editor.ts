import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { EditorEvents, EditorHostApi, Recipe, Step } from '../protocol/messages.ts';
import { type Handlers, serve } from '../protocol/rpc.ts';
import { AttentionPanel } from './attention.ts';
import { chooseCalibration, keepCalibration, keptCalibration } from './calibration-text.ts';
import { CompressPanel } from './compress.ts';
import { DiffPanel } from './diff.ts';
import type { ModelDocument } from './document.ts';
import { exportTensor } from './export-tensor.ts';
import { toFailure } from './failure.ts';
import { againstPath, isElsewhere } from './kept.ts';
import { pageOptions, setPage } from './page.ts';
import { webviewPort } from './port.ts';
import { keepPrediction } from './predictions.ts';
import type { Services } from './services.ts';
import { ownSentencesFile } from './texts.ts';
import { refuseUntrusted } from './trust.ts';
import { tryOut } from './try-out.ts';
import { viewTypes } from './view-types.ts';

class EditorDocument implements vscode.CustomDocument {
  readonly uri: vscode.Uri;
  readonly model: ModelDocument;
  readonly #release: () => void;

  constructor(model: ModelDocument, release: () => void) {
    this.uri = model.uri;
    this.model = model;
    this.#release = release;
  }

  dispose(): void {
    this.#release();
  }
}

/** Shows models in tabs. A tab's page may be thrown away while hidden: it asks for its view again and keeps the rest itself. */
export class EditorProvider implements vscode.CustomReadonlyEditorProvider<EditorDocument> {
  readonly #services: Services;
  /** What can be asked of the editor in front: by the title menu and by keys. */
  #active: { focusFilter(): void } | undefined;

  constructor(services: Services) {
    this.#services = services;
  }

  static register(services: Services): { readonly provider: EditorProvider; readonly registration: vscode.Disposable } {
    const provider = new EditorProvider(services);
    const registrations = Object.values(viewTypes).map(viewType =>
      vscode.window.registerCustomEditorProvider(viewType, provider, { supportsMultipleEditorsPerDocument: true }),
    );
    return { provider, registration: vscode.Disposable.from(...registrations) };
  }

  focusFilter(): void {
    this.#active?.focusFilter();
  }

  openCustomDocument(uri: vscode.Uri): EditorDocument {
    const { documents } = this.#services;
    const model = documents.acquire(uri);
    return new EditorDocument(model, () => documents.release(model));
  }

  resolveCustomEditor({ uri, model }: EditorDocument, panel: vscode.WebviewPanel): void {
    const { extensionUri } = this.#services.context;
    const { webview } = panel;
    webview.options = pageOptions(extensionUri);
    // A page asks for its view when it is there, and once more when it comes back: a hidden one is thrown away. Unasked, nothing is sent:
    // the view of 50,000 tensors is 13 MB.
    let asked = false;
    const view = async () => {
      asked = true;
      return model.view;
    };
    const page = serve<EditorHostApi, EditorEvents>(webviewPort(webview), { ...this.#api(uri, model), view }, toFailure);
    const active = { focusFilter: () => page.emit('focusFilter', null) };
    const follow = () => {
      if (panel.active) this.#active = active;
      if (!panel.visible) asked = false;
    };
    const listening = [model.onDidChange(changed => asked && page.emit('view', changed)), panel.onDidChangeViewState(follow)];
    panel.onDidDispose(() => {
      if (this.#active === active) this.#active = undefined;
      for (const each of listening) each.dispose();
    });
    // Its messages are listened to above, before it can send one.
    setPage(webview, extensionUri, 'editor');
    follow();
  }

  /** The comparison with what the newest measurement was held against. */
  #openMeasured(uri: vscode.Uri, { view }: ModelDocument): void {
    const kept = view.state === 'ready' && view.kept && 'record' in view.kept ? view.kept.record : undefined;
    const against = kept?.evaluations.find(each => each.against !== null)?.against;
    if (!against || isElsewhere(against)) return;
    DiffPanel.open(this.#services, { before: againstPath(uri.fsPath, against), after: uri.fsPath, made: null });
  }

  #api(uri: vscode.Uri, model: ModelDocument): Omit<Handlers<EditorHostApi>, 'view'> {
    let trial: AbortController | undefined;
    const recipeOf = (step: Step): Recipe => ({ version: 1, steps: [{ pass: String(step.pass), options: step.options }] });
    const command = async (name: string) => void (await vscode.commands.executeCommand(name, uri));
    return {
      reload: () => model.reload(),
      // Not awaited: the work reports by itself, and the page does not wait for it.
      quantize: async () => void command('headroom.quantize'),
      openCompress: async (step, text, predicted) => {
        if (!step) return void command('headroom.compress');
        if (typeof text === 'string')
          await keepCalibration(this.#services.context, text || (await ownSentencesFile(this.#services, uri.fsPath)));
        if (typeof predicted === 'number') keepPrediction(uri.fsPath, step, predicted);
        void CompressPanel.open(this.#services, uri, recipeOf(step));
      },
      tryStep: async step => {
        trial?.abort();
        trial = new AbortController();
        return tryOut(this.#services, { path: uri.fsPath, recipe: recipeOf(step) }, trial.signal);
      },
      openCompare: async () => void command('headroom.compare'),
      copyText: async text => vscode.env.clipboard.writeText(String(text)),
      showLog: async () => this.#services.log.show(),
      statistics: (tensor, following) => model.statistics(tensor, following ?? {}),
      heatMap: (tensor, request, following) => model.heatMap(tensor, request, following ?? {}),
      values: (tensor, request, following) => model.values(tensor, request, following ?? {}),
      exportTensor: (tensor, kind, following) => exportTensor(this.#services, uri, tensor, kind, following ?? {}),
      headMeasures: following => model.headMeasures(following ?? {}),
      scores: async (question, following) => {
        if (question.text !== null) await refuseUntrusted(sentence('A model is run only in a folder that is trusted.'));
        return model.scores(question, following ?? {});
      },
      stateHeads: async heads => {
        await refuseUntrusted();
        await this.#services.engine.api.stateHeads(uri.fsPath, Number(heads));
        await model.reload();
      },
      scoreText: () => keptCalibration(this.#services.context),
      chooseScoreText: async current => (await chooseCalibration(this.#services.context, uri.fsPath, String(current))) ?? null,
      openRedundancy: async () => void command('headroom.redundancy'),
      openSensitivity: async () => void CompressPanel.openSensitivity(this.#services, uri),
      openMeasured: async () => this.#openMeasured(uri, model),
      openAttention: async (layer, head) => {
        const subject = { paths: [uri.fsPath], layer: Number(layer), head: head === null ? null : Number(head) };
        void AttentionPanel.open(this.#services, subject);
      },
    };
  }
}
