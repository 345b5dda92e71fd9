import type * as vscode from 'vscode';
import type { Documents } from './document.ts';
import type { Engine } from './engine.ts';
import type { Jobs } from './jobs.ts';
import type { Log } from './log.ts';

/** What the extension has once, made by `activate`. */
export interface Services {
  readonly context: vscode.ExtensionContext;
  readonly log: Log;
  readonly engine: Engine;
  readonly documents: Documents;
  readonly jobs: Jobs;
}
