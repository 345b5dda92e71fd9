import * as vscode from 'vscode';
import type { Sentence } from '../core/errors.ts';

/** A sentence in the language of VS Code. Numbers are grouped as that language does; strings (names, paths) stand as they are. */
export function say({ text, args }: Sentence): string {
  return vscode.l10n.t(text, Object.fromEntries(Object.entries(args ?? {}).map(([place, value]) => [place, filling(value)])));
}

function filling(value: string | number): string {
  return typeof value === 'number' ? new Intl.NumberFormat(vscode.env.language).format(value) : value;
}
