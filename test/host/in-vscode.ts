import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { HeadroomExports } from '../../src/host/extension.ts';

// Runs inside the extension host of a VS Code: the desktop one or the served one. Resolves when all is well, throws what is not.

const extension = () => vscode.extensions.getExtension<HeadroomExports>('headroom.headroom')!;

const tests: Record<string, (folder: string) => Promise<void>> = {
  'the extension is there and does nothing until it is needed': async () => {
    assert.ok(extension(), 'headroom.headroom is not installed');
    assert.equal(extension().isActive, false);
  },

  'every command of the manifest is registered': async () => {
    await extension().activate();
    const registered = await vscode.commands.getCommands(true);
    const declared: { command: string }[] = extension().packageJSON.contributes.commands;
    assert.deepEqual(
      declared.map(({ command }) => command).filter(command => !registered.includes(command)),
      [],
    );
  },

  'no engine runs before a model is opened': async () => {
    assert.equal(extension().exports.enginePid(), undefined);
  },

  'an .onnx file opens in the editor of Headroom by default': async folder => {
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(join(folder, 'model.onnx')));
    const input = await activeInput(vscode.TabInputCustom);
    assert.equal(input.viewType, 'headroom.model');
    await until('an engine', () => extension().exports.enginePid() !== undefined);
  },

  'any other name opens in it on request': async folder => {
    const other = vscode.Uri.file(join(folder, 'model.bin'));
    cpSync(join(folder, 'model.onnx'), other.fsPath);
    await vscode.commands.executeCommand('headroom.openAs', other);
    assert.equal((await activeInput(vscode.TabInputCustom)).viewType, 'headroom.any');
  },

  'Quantize to int8 writes a smaller model beside the original and opens the comparison': async folder => {
    const original = vscode.Uri.file(join(folder, 'model.onnx'));
    await vscode.commands.executeCommand('headroom.quantize', original);
    assert.ok(statSync(join(folder, 'model.int8.onnx')).size < 0.3 * statSync(original.fsPath).size);
    assert.match((await activeInput(vscode.TabInputWebview)).viewType, /headroom\.diff$/);
    assert.equal(vscode.window.tabGroups.activeTabGroup.activeTab!.label, 'model.onnx ↔ model.int8.onnx');
  },

  'two models are compared, the larger first': async folder => {
    const [small, large] = ['model.int8.onnx', 'model.bin'].map(name => vscode.Uri.file(join(folder, name)));
    await vscode.commands.executeCommand('headroom.compareSelected', small, [small, large]);
    await until('the tab', () => vscode.window.tabGroups.activeTabGroup.activeTab?.label === 'model.bin ↔ model.int8.onnx');
  },

  'Show Redundancy opens a panel of its own, once for each model': async folder => {
    const original = vscode.Uri.file(join(folder, 'model.onnx'));
    for (let time = 0; time < 2; time += 1) await vscode.commands.executeCommand('headroom.redundancy', original);
    const title = 'Redundancy in model.onnx';
    await until('the tab', () => vscode.window.tabGroups.activeTabGroup.activeTab?.label === title);
    assert.match((await activeInput(vscode.TabInputWebview)).viewType, /headroom\.redundancy$/);
    const tabs = vscode.window.tabGroups.all.flatMap(group => group.tabs);
    assert.equal(tabs.filter(({ label }) => label === title).length, 1);
  },

  'the sample opens from a copy of its own': async () => {
    await vscode.commands.executeCommand('headroom.openSample');
    const { uri } = await activeInput(vscode.TabInputCustom);
    assert.ok(!uri.fsPath.startsWith(extension().extensionPath), uri.fsPath);
    assert.ok(existsSync(uri.fsPath));
  },

  'nothing temporary is left': async folder => {
    assert.deepEqual(
      readdirSync(folder).filter(name => name.includes('.headroom-')),
      [],
    );
  },
};

export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-host-'));
  const failed: string[] = [];
  try {
    cpSync(join(extension().extensionPath, 'media', 'sample', 'model.onnx'), join(folder, 'model.onnx'));
    for (const [name, test] of Object.entries(tests)) {
      try {
        await test(folder);
        console.log(`ok: ${name}`);
      } catch (error) {
        console.log(`not ok: ${name}: ${(error as Error).stack ?? error}`);
        failed.push(`${name}: ${(error as Error).message}`);
      }
    }
  } finally {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true, force: true });
  }
  if (failed.length > 0) throw new Error(failed.join('\n'));
}

async function activeInput<T>(kind: new (...args: never[]) => T): Promise<T> {
  const input = () => vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  await until(`a tab of ${kind.name}`, () => input() instanceof kind);
  return input() as T;
}

async function until(what: string, holds: () => boolean, ms = 10_000): Promise<void> {
  for (const started = Date.now(); !holds(); await wait(20))
    if (Date.now() - started > ms) throw new Error(`${what}: not within ${ms / 1000} s`);
}
