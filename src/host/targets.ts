import * as vscode from 'vscode';
import { viewTypes } from './view-types.ts';

const model = /\.(onnx|safetensors|safetensors\.index\.json)$/i;
export const isModelName = (name: string): boolean => model.test(name);

/** Above this many a Quick Pick is no longer quick; Browse finds the rest. */
const listed = 200;

/** What a command is about: what it was called on, else the model in front. */
export function targetOf(argument: unknown): vscode.Uri | undefined {
  return argument instanceof vscode.Uri ? argument : activeModel();
}

/** Explorer commands get the item under the pointer and everything selected. */
export function targetsOf(argument: unknown, selected: unknown): vscode.Uri[] {
  const all = Array.isArray(selected) ? selected.filter(each => each instanceof vscode.Uri) : [];
  const one = targetOf(argument);
  return all.length > 1 ? all : one ? [one] : [];
}

export function activeModel(): vscode.Uri | undefined {
  return modelOf(vscode.window.tabGroups.activeTabGroup.activeTab);
}

function modelOf(tab: vscode.Tab | undefined): vscode.Uri | undefined {
  const input = tab?.input;
  return input instanceof vscode.TabInputCustom && Object.values<string>(viewTypes).includes(input.viewType)
    ? input.uri
    : undefined;
}

/** Models in open tabs first, then those of the workspace. */
export async function knownModels(): Promise<vscode.Uri[]> {
  const tabs = vscode.window.tabGroups.all.flatMap(group => group.tabs).map(modelOf);
  const pattern = '**/*.{onnx,safetensors,safetensors.index.json}';
  const files = await vscode.workspace.findFiles(pattern, '**/node_modules/**', listed);
  const all = [...tabs.filter(uri => uri !== undefined), ...files.sort((a, b) => (a.path < b.path ? -1 : 1))];
  return [...new Map(all.map(uri => [uri.toString(), uri])).values()];
}
