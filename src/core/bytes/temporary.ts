import { randomBytes } from 'node:crypto';
import { rmdirSync, unlinkSync } from 'node:fs';

/** Files that must not outlive this process unless they are kept: gone when it exits, also by SIGINT or SIGTERM. */
const files = new Set<string>();
const folders = new Set<string>();

/** .model.onnx.headroom-4711-9f3a61c2.tmp: nobody takes it for a model, and a person who finds one after a power cut knows whose it is. */
export const temporaryName = (name: string): string => `.${name}.headroom-${process.pid}-${randomBytes(4).toString('hex')}.tmp`;

export function guardFile(path: string): void {
  files.add(path);
  listen();
}

/** A folder made for the output: removed if it is still empty. */
export function guardFolder(path: string): void {
  folders.add(path);
  listen();
}

export function release(path: string): void {
  files.delete(path);
  folders.delete(path);
  if (files.size + folders.size === 0) unlisten();
}

function removeAll(): void {
  for (const path of files) attempt(() => unlinkSync(path));
  // The innermost first.
  for (const path of [...folders].sort((a, b) => b.length - a.length)) attempt(() => rmdirSync(path));
  files.clear();
  folders.clear();
}

function attempt(remove: () => void): void {
  try {
    remove();
  } catch {
    // Gone already, or not empty: nothing more to do while the process ends.
  }
}

/** Ends the process as the signal would have, unless somebody else handles it (a command line that cancels in order). */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  unlisten();
  process.kill(process.pid, signal);
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let isListening = false;

function listen(): void {
  if (isListening) return;
  isListening = true;
  process.on('exit', removeAll);
  for (const signal of signals) process.on(signal, onSignal);
}

function unlisten(): void {
  isListening = false;
  process.off('exit', removeAll);
  for (const signal of signals) process.off(signal, onSignal);
}
