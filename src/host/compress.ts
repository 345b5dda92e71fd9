import { basename, dirname, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { fail, sentence } from '../core/errors.ts';
import type {
  CompressEvents,
  CompressHostApi,
  CompressReport,
  CompressRequest,
  CompressView,
  DryRun,
  Made,
  PassInfo,
  Recipe,
  Summary,
} from '../protocol/messages.ts';
import { type Served, serve } from '../protocol/rpc.ts';
import { chooseCalibration, chooseFile, keepCalibration, keptCalibration } from './calibration-text.ts';
import { commandLine } from './command-line.ts';
import { DiffPanel, editorFor } from './diff.ts';
import { refuseOtherSchemes } from './document.ts';
import { toFailure } from './failure.ts';
import type { Job } from './jobs.ts';
import { keepMade } from './kept.ts';
import { say } from './l10n.ts';
import { formatOf, type ModelFormat, outputFor, stemOf } from './output.ts';
import { askOutput, confirmOutput } from './output-choice.ts';
import { pageOptions, setPage } from './page.ts';
import { webviewPort } from './port.ts';
import { logMade } from './quantize.ts';
import { SensitivityMeasuring } from './sensitivity.ts';
import type { Services } from './services.ts';
import { ownSentencesFile } from './texts.ts';
import { refuseUntrusted } from './trust.ts';
import { tryOut } from './try-out.ts';
import { panelTypes } from './view-types.ts';

const firstRecipe: Recipe = { version: 1, steps: [{ pass: 'quantize', options: {} }] };

/** What is needed to show the form again after a reload; what was edited in it since the page keeps itself. */
interface Kept {
  readonly path: string;
  readonly recipe: Recipe;
}

/** The form in which a recipe is put together, tried and run. A run goes on when the panel is closed. */
export class CompressPanel {
  static readonly #open = new Map<string, CompressPanel>();
  readonly #services: Services;
  readonly #panel: vscode.WebviewPanel;
  readonly #path: string;
  readonly #page: Served<CompressEvents>;
  #recipe: Recipe;
  #out: string;
  #outFormat: ModelFormat;
  #facts: Promise<{ readonly summary: Summary; readonly passes: readonly PassInfo[] }> | undefined;
  readonly #sensitivity: SensitivityMeasuring;
  /** The page is to show what each part costs, and has not yet. */
  #showsSensitivity = false;
  #dryRun: AbortController | undefined;
  #disposed = false;

  /** `recipe`: what the form is filled with; a form that is open already then begins anew, unless it runs. */
  static async open(services: Services, uri: vscode.Uri, recipe?: Recipe): Promise<void> {
    try {
      refuseOtherSchemes(uri);
      await refuseUntrusted();
    } catch (error) {
      await services.log.tell(`compress ${uri.fsPath}`, toFailure(error));
      return;
    }
    const there = CompressPanel.#open.get(uri.fsPath);
    const stays = there && (!recipe || services.jobs.of(uri.fsPath) !== undefined);
    if (stays) there.#panel.reveal();
    else {
      if (there) there.#panel.dispose();
      const title = say(sentence('Compress {name}', { name: basename(uri.fsPath) }));
      const panel = vscode.window.createWebviewPanel(panelTypes.compress, title, vscode.ViewColumn.Active);
      new CompressPanel(services, panel, uri.fsPath, recipe ?? firstRecipe);
    }
  }

  /** The form at what each part costs: as it is where it is open, else with one step to quantize. */
  static async openSensitivity(services: Services, uri: vscode.Uri): Promise<void> {
    await CompressPanel.open(services, uri);
    const panel = CompressPanel.#open.get(uri.fsPath);
    if (panel) panel.#showSensitivity();
  }

  static registerSerializer(services: Services): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(panelTypes.compress, {
      deserializeWebviewPanel: async (panel, state: { kept?: Kept } | undefined) => {
        if (state?.kept) new CompressPanel(services, panel, state.kept.path, state.kept.recipe);
        else panel.dispose();
      },
    });
  }

  private constructor(services: Services, panel: vscode.WebviewPanel, path: string, recipe: Recipe) {
    this.#services = services;
    this.#panel = panel;
    this.#path = path;
    this.#outFormat = formatOf(path);
    this.#recipe = recipe;
    this.#out = outputFor(path, recipe);
    this.#sensitivity = new SensitivityMeasuring(services, path, view => {
      if (!this.#disposed) this.#page.emit('sensitivity', view);
    });
    CompressPanel.#open.set(path, this);
    panel.iconPath = vscode.Uri.joinPath(services.context.extensionUri, 'media', 'icon.png');
    panel.webview.options = pageOptions(services.context.extensionUri);
    this.#page = serve<CompressHostApi, CompressEvents>(webviewPort(panel.webview), this.#api(), toFailure);
    panel.onDidChangeViewState(() => {
      if (panel.visible) void this.#showView();
    });
    panel.onDidDispose(() => {
      this.#disposed = true;
      if (CompressPanel.#open.get(path) === this) CompressPanel.#open.delete(path);
      this.#dryRun?.abort();
      this.#sensitivity.dispose();
    });
    setPage(panel.webview, services.context.extensionUri, 'compress', { path, recipe } satisfies Kept);
  }

  async #view(): Promise<CompressView> {
    const { api } = this.#services.engine;
    this.#facts ??= Promise.all([api.inspect(this.#path), api.passes()]).then(([summary, passes]) => ({ summary, passes }));
    this.#facts.catch(() => {
      this.#facts = undefined;
    });
    const { summary, passes } = await this.#facts;
    return {
      name: basename(this.#path),
      path: this.#path,
      parameters: summary.model.parameters,
      fileBytes: summary.file.byteLength,
      format: summary.file.format,
      passes,
      recipe: this.#recipe,
      out: this.#out,
      outFormat: this.#outFormat,
      calibration: await keptCalibration(this.#services.context),
      running: this.#services.jobs.of(this.#path)?.progress ?? null,
      sensitivity: this.#sensitivity.view,
      showsSensitivity: this.#showsSensitivity,
    };
  }

  /** A page that is there is told; one that is not yet, or comes back, asks for its view. It says when it has shown it. */
  #showSensitivity(): void {
    this.#showsSensitivity = true;
    void this.#showView();
  }

  /** A page that came back has its own copy of everything but what is running. */
  async #showView(): Promise<void> {
    const view = await this.#view().catch(() => undefined);
    if (view && !this.#disposed) this.#page.emit('view', view);
  }

  #keep(recipe: Recipe, out: string, format: ModelFormat): void {
    this.#recipe = recipe;
    this.#out = out;
    this.#outFormat = format;
  }

  /** The newest question wins: an older one is cancelled, and its answer is of no use to the page any more. */
  async #tryOut(recipe: Recipe, out: string, format: ModelFormat, calibration: string): Promise<DryRun> {
    this.#keep(recipe, out, format);
    this.#dryRun?.abort();
    this.#dryRun = new AbortController();
    const { signal } = this.#dryRun;
    return tryOut(this.#services, { path: this.#path, recipe, out, format, ...this.#calibration(calibration) }, signal);
  }

  /** A text that is typed begins at the model's folder; for a person's terminal as for the engine. */
  #calibration(typed: string): Pick<CompressRequest, 'calibration'> {
    return typed.trim() === '' ? {} : { calibration: resolve(dirname(this.#path), typed.trim()) };
  }

  async #run(recipe: Recipe, out: string, format: ModelFormat, typed: string): Promise<CompressReport> {
    this.#keep(recipe, out, format);
    const text = this.#calibration(typed);
    if (text.calibration) await keepCalibration(this.#services.context, text.calibration);
    const chosen = await confirmOutput(out, format);
    if (!chosen) throw fail('cancelled', 'Cancelled. Nothing was written.');
    this.#out = chosen.out;
    const job = this.#services.jobs.start({ path: this.#path, recipe, format, ...text, ...chosen });
    await this.#showView();
    const made = await this.#follow(job);
    return made.report;
  }

  async #follow(job: Job): Promise<Made> {
    const { log } = this.#services;
    const following = job.onProgress(event => this.#disposed || this.#page.emit('progress', event));
    const title = say(sentence('Compressing {name}', { name: basename(this.#path) }));
    void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => job.done.catch(() => undefined));
    try {
      const made = await job.done;
      logMade(this.#services, this.#path, made);
      await keepMade(this.#services, made);
      void this.#showResult(made);
      return made;
    } catch (error) {
      const failure = toFailure(error);
      // An open page says it itself.
      if (this.#disposed || !this.#panel.visible) void log.tell(`compress ${this.#path}`, failure);
      else log.failed(`compress ${this.#path}`, failure);
      throw error;
    } finally {
      following.dispose();
      void this.#showView();
    }
  }

  /** At once when the person is looking; otherwise they are told, and nothing takes their place. */
  async #showResult(made: Made): Promise<void> {
    const subject = { before: this.#path, after: made.report.out, made };
    if (!this.#disposed && this.#panel.visible) return DiffPanel.open(this.#services, subject);
    const open = say(sentence('Open the comparison'));
    const done = say(sentence('{file} is written.', { file: basename(made.report.out) }));
    if ((await vscode.window.showInformationMessage(done, open)) === open) DiffPanel.open(this.#services, subject);
  }

  #api(): CompressHostApi {
    return {
      view: () => this.#view(),
      dryRun: (recipe, out, format, calibration) => this.#tryOut(recipe, out, format, calibration),
      run: (recipe, out, format, calibration) => this.#run(recipe, out, format, calibration),
      cancel: async () => this.#services.jobs.of(this.#path)?.cancel(),
      measureSensitivity: async question => this.#sensitivity.begin(question),
      cancelSensitivity: async () => this.#sensitivity.cancel(),
      sensitivityShown: async () => {
        this.#showsSensitivity = false;
      },
      proposeOut: async (recipe, format) => outputFor(this.#path, recipe, format),
      chooseOut: async out => {
        const chosen = await askOutput(out, this.#outFormat);
        if (chosen !== undefined) this.#out = chosen;
        return chosen ?? null;
      },
      chooseFile: async current => (await chooseFile(this.#path, current)) ?? null,
      chooseCalibration: async current => (await chooseCalibration(this.#services.context, this.#path, current)) ?? null,
      ownSentences: () => ownSentencesFile(this.#services, this.#path),
      copyCommand: async (recipe, out, typed) => {
        const passes = await this.#services.engine.api.passes();
        const { calibration } = this.#calibration(typed);
        await vscode.env.clipboard.writeText(commandLine(this.#path, recipe, out, passes, calibration));
      },
      saveRecipe: recipe => this.#saveRecipe(recipe),
      openResult: async out =>
        void (await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(out), editorFor(out))),
      showLog: async () => this.#services.log.show(),
    };
  }

  async #saveRecipe(recipe: Recipe): Promise<void> {
    const suggested = join(dirname(this.#path), `${stemOf(this.#path)}.recipe.json`);
    const uri = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.file(suggested), filters: { JSON: ['json'] } });
    if (uri) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(`${JSON.stringify(recipe, null, 2)}\n`));
  }
}
