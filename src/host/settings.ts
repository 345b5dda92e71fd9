import * as vscode from 'vscode';

/** Of the engine's JavaScript heap. The default has held every model tried; weights are read in chunks and do not live there. */
export function engineMemoryMegabytes(): number {
  return vscode.workspace.getConfiguration('headroom').get<number>('engine.memory', 2048);
}
