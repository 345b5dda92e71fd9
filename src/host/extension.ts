import * as vscode from 'vscode';
import { AttentionPanel } from './attention.ts';
import { registerCommands } from './commands.ts';
import { CompressPanel } from './compress.ts';
import { DiffPanel } from './diff.ts';
import { Documents, ModelDocument } from './document.ts';
import { EditorProvider } from './editor.ts';
import { Engine } from './engine.ts';
import { Jobs } from './jobs.ts';
import { removeLeftovers } from './leftovers.ts';
import { Log } from './log.ts';
import { RedundancyPanel } from './redundancy.ts';
import type { Services } from './services.ts';
import { engineMemoryMegabytes } from './settings.ts';

/** What tests may ask of the running extension. */
export interface HeadroomExports {
  /** Process id of the engine, undefined while none runs. */
  readonly enginePid: () => number | undefined;
}

/** Registers everything; nothing is read and no process started until somebody opens a model. */
export function activate(context: vscode.ExtensionContext): HeadroomExports {
  const log = new Log();
  const engine = new Engine({
    modulePath: vscode.Uri.joinPath(context.extensionUri, 'dist', 'engine.mjs').fsPath,
    memoryMegabytes: engineMemoryMegabytes,
    log: line => log.info(line),
    removeLeftovers,
  });
  const documents = new Documents(uri => new ModelDocument(uri, engine.api, log));
  const services: Services = { context, log, engine, documents, jobs: new Jobs(engine.api) };
  const { provider, registration } = EditorProvider.register(services);
  context.subscriptions.push(
    log,
    engine,
    registration,
    AttentionPanel.registerSerializer(services),
    DiffPanel.registerSerializer(services),
    CompressPanel.registerSerializer(services),
    RedundancyPanel.registerSerializer(services),
    registerCommands(services, provider),
  );
  return { enginePid: () => engine.pid };
}
