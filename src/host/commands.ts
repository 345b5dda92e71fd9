import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { Step } from '../protocol/messages.ts';
import { askModel, compareModels } from './compare.ts';
import { CompressPanel } from './compress.ts';
import type { EditorProvider } from './editor.ts';
import { exportTable } from './export-table.ts';
import { say } from './l10n.ts';
import { type QuickScheme, quantizeTo } from './quantize.ts';
import { RedundancyPanel } from './redundancy.ts';
import { openSample } from './sample.ts';
import type { Services } from './services.ts';
import { activeModel, isModelName, targetOf, targetsOf } from './targets.ts';
import { viewTypes } from './view-types.ts';

/** Everything a person can do, by the names in the manifest. */
export function registerCommands(services: Services, editors: EditorProvider): vscode.Disposable {
  const quantize =
    (scheme: QuickScheme) =>
    async (argument: unknown, selected: unknown): Promise<void> => {
      for (const uri of await orAsk(targetsOf(argument, selected), say(sentence('Quantize to {scheme}', { scheme }))))
        await quantizeTo(scheme, services, uri);
    };
  /** Opens the form with one step in its recipe. */
  const form =
    (title: string, step: Step) =>
    async (argument: unknown): Promise<void> => {
      for (const uri of await orAsk(targetsOf(argument, undefined), title))
        await CompressPanel.open(services, uri, { version: 1, steps: [step] });
    };
  const commands: Record<string, (argument?: unknown, selected?: unknown) => unknown> = {
    'headroom.quantize': quantize('int8'),
    'headroom.quantizeInt4': quantize('int4'),
    'headroom.quantizeFp16': quantize('fp16'),
    'headroom.quantizeWith': form(say(sentence('Quantize…')), { pass: 'quantize', options: {} }),
    'headroom.prune': form(say(sentence('Prune…')), { pass: 'prune-heads', options: { fraction: 0.25 } }),
    'headroom.compress': async argument => {
      for (const uri of await orAsk(targetsOf(argument, undefined), say(sentence('Compress…'))))
        await CompressPanel.open(services, uri);
    },
    'headroom.compare': async (argument, selected) =>
      compareModels(services, await orAsk(targetsOf(argument, selected), say(sentence('Compare…')))),
    'headroom.compareSelected': (argument, selected) => compareModels(services, targetsOf(argument, selected)),
    'headroom.redundancy': async argument => {
      for (const uri of await orAsk(targetsOf(argument, undefined), say(sentence('Show redundancy'))))
        await RedundancyPanel.open(services, uri);
    },
    'headroom.sensitivity': async argument => {
      for (const uri of await orAsk(targetsOf(argument, undefined), say(sentence('What does each layer cost?'))))
        await CompressPanel.openSensitivity(services, uri);
    },
    'headroom.exportTable': async argument => {
      for (const uri of await orAsk(targetsOf(argument, undefined), say(sentence('Export table…'))))
        await exportTable(services, uri);
    },
    'headroom.openAs': argument => openAs(targetOf(argument)),
    'headroom.openSample': () => openSample(services),
    'headroom.focusFilter': () => editors.focusFilter(),
    'headroom.showLog': () => services.log.show(),
  };
  return vscode.Disposable.from(...Object.entries(commands).map(([id, run]) => vscode.commands.registerCommand(id, run)));
}

/** From the command palette with nothing open, the model is asked for. */
async function orAsk(uris: vscode.Uri[], title: string): Promise<vscode.Uri[]> {
  if (uris.length > 0) return uris;
  const asked = await askModel(title);
  return asked ? [asked] : [];
}

/** A model that is shown can be shown otherwise, as VS Code itself offers; any other file can be opened as a model. */
async function openAs(uri: vscode.Uri | undefined): Promise<void> {
  if (uri && uri.toString() === activeModel()?.toString()) {
    await vscode.commands.executeCommand('workbench.action.reopenWithEditor');
    return;
  }
  const chosen = uri ?? vscode.window.activeTextEditor?.document.uri ?? (await askModel(say(sentence('Open as a model'))));
  if (!chosen) return;
  const viewType = isModelName(chosen.path) && !/\.index\.json$/i.test(chosen.path) ? viewTypes.model : viewTypes.any;
  await vscode.commands.executeCommand('vscode.openWith', chosen, viewType);
}
