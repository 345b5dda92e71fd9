import { basename } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { Lineage } from '../protocol/lineage.ts';
import type { AttentionEvents, AttentionHostApi, AttentionMaps } from '../protocol/messages.ts';
import { type Handlers, serve } from '../protocol/rpc.ts';
import { toFailure } from './failure.ts';
import { say } from './l10n.ts';
import { pageOptions, setPage } from './page.ts';
import { webviewPort } from './port.ts';
import type { Services } from './services.ts';
import { refuseUntrusted } from './trust.ts';
import { panelTypes } from './view-types.ts';

/** One model, or the one before and the one after. */
export interface AttentionSubject {
  readonly paths: readonly string[];
  readonly layer: number;
  /** null: all heads. */
  readonly head: number | null;
  /** Which layers and heads of the first model the second has: it is shown by the numbers of the first. */
  readonly lineage?: Lineage | undefined;
}

/** Where the last sentence is kept, for every model. */
const lastText = 'attention.text';

/** What heads look at in a sentence, of one model or of two side by side. */
export class AttentionPanel {
  static readonly #open = new Map<string, AttentionPanel>();
  readonly #services: Services;
  readonly #panel: vscode.WebviewPanel;
  #subject: AttentionSubject;
  #layers: Promise<number[]> | undefined;

  /** The models of one panel are the same for its life; another head of theirs is shown in it. */
  static async open(services: Services, subject: AttentionSubject): Promise<void> {
    try {
      await refuseUntrusted(sentence('A model is run only in a folder that is trusted.'));
    } catch {
      return;
    }
    const there = AttentionPanel.#open.get(subject.paths.join('\n'));
    if (there) {
      there.#subject = subject;
      there.#draw();
      there.#panel.reveal();
      return;
    }
    const title = say(sentence('Attention of {name}', { name: subject.paths.map(path => basename(path)).join(' ↔ ') }));
    const panel = vscode.window.createWebviewPanel(panelTypes.attention, title, vscode.ViewColumn.Active);
    new AttentionPanel(services, panel, subject);
  }

  static registerSerializer(services: Services): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(panelTypes.attention, {
      deserializeWebviewPanel: async (panel, state: { kept?: AttentionSubject } | undefined) => {
        if (state?.kept && vscode.workspace.isTrusted) new AttentionPanel(services, panel, state.kept);
        else panel.dispose();
      },
    });
  }

  private constructor(services: Services, panel: vscode.WebviewPanel, subject: AttentionSubject) {
    this.#services = services;
    this.#panel = panel;
    this.#subject = subject;
    const key = subject.paths.join('\n');
    AttentionPanel.#open.set(key, this);
    panel.iconPath = vscode.Uri.joinPath(services.context.extensionUri, 'media', 'icon.png');
    panel.webview.options = pageOptions(services.context.extensionUri);
    serve<AttentionHostApi, AttentionEvents>(webviewPort(panel.webview), this.#api(), toFailure);
    panel.onDidDispose(() => AttentionPanel.#open.delete(key));
    this.#draw();
  }

  #draw(): void {
    setPage(this.#panel.webview, this.#services.context.extensionUri, 'attention', this.#subject);
  }

  #api(): Handlers<AttentionHostApi> {
    const { engine, context, log } = this.#services;
    return {
      view: async () => {
        const { paths, layer, head } = this.#subject;
        this.#layers ??= Promise.all(paths.map(async path => (await engine.api.inspect(path)).model.layers));
        this.#layers.catch(() => {
          this.#layers = undefined;
        });
        const layers = await this.#layers;
        return { names: paths.map(path => basename(path)), layer, head, layers, text: context.globalState.get(lastText, '') };
      },
      attention: async (request, following) => {
        const layers = (await this.#layers) ?? [];
        const maps: (AttentionMaps | null)[] = [];
        for (const [at, path] of this.#subject.paths.entries()) {
          const lineage = at === 1 ? this.#subject.lineage : undefined;
          const layer = lineage ? lineage.layers.indexOf(request.layer) : request.layer;
          const found =
            layer >= 0 && layer < (layers[at] ?? 0)
              ? await engine.api.attention(path, { ...request, layer }, { signal: following?.signal })
              : null;
          maps.push(found && lineage ? byNumbersBefore(found, request.layer, lineage) : found);
        }
        return maps;
      },
      keep: async (layer, head, text) => {
        this.#subject = { ...this.#subject, layer, head };
        await context.globalState.update(lastText, text);
      },
      copyText: async text => vscode.env.clipboard.writeText(String(text)),
      showLog: async () => log.show(),
    };
  }
}

/** A head that stayed is shown beside itself. */
const byNumbersBefore = (maps: AttentionMaps, layer: number, { heads }: Lineage): AttentionMaps => ({
  ...maps,
  layer,
  heads: maps.heads.map(each => ({ ...each, head: heads[layer]?.[each.head] ?? each.head })),
});
