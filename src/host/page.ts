import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { type PageName, pageHtml } from './page-html.ts';

/** What a page of ours may load: its own script and style, nothing else. */
export function pageOptions(extensionUri: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist', 'webview')] };
}

/** `kept` comes back from the page's state when VS Code restores the panel after a reload. */
export function setPage(webview: vscode.Webview, extensionUri: vscode.Uri, page: PageName, kept?: object): void {
  const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', 'webview', name)).toString();
  webview.html = pageHtml({
    page,
    script: file(`${page}.js`),
    style: file(`${page}.css`),
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString('base64'),
    locale: vscode.env.language,
    bundle: translations(),
    ...(kept && { kept }),
  });
}

/** The bundle of VS Code's language; values with comments are not used here. */
function translations(): Record<string, string> {
  const bundle = (vscode.l10n.bundle ?? {}) as Record<string, string | { message: string }>;
  return Object.fromEntries(
    Object.entries(bundle).map(([key, value]) => [key, typeof value === 'string' ? value : value.message]),
  );
}
