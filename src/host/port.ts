import type * as vscode from 'vscode';
import type { Port } from '../protocol/rpc.ts';

/** A hidden page loses messages; it asks for its view again when it comes back. */
export function webviewPort(webview: vscode.Webview): Port {
  return {
    post: message => void webview.postMessage(message),
    onMessage: listener => void webview.onDidReceiveMessage(listener),
  };
}
