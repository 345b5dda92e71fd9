import type { Failure } from '../src/protocol/messages.ts';
import type { Port, Remote } from '../src/protocol/rpc.ts';

// The one seam to VS Code's webview api: messages and the little state that survives hiding and reload.

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

const vscode = acquireVsCodeApi();

/** Messages to and from the extension host. */
export const port: Port = {
  post: message => vscode.postMessage(message),
  onMessage: listener => window.addEventListener('message', event => listener(event.data)),
};

/** What `setState` kept, or undefined on a first opening. The caller knows the type it wrote; a version in it guards against an older one. */
export function getState<State>(): Partial<State> | undefined {
  const state = vscode.getState();
  return typeof state === 'object' && state !== null ? (state as Partial<State>) : undefined;
}

export function setState<State extends object>(state: State): void {
  vscode.setState(state);
}

/** What a rejected call throws. */
export class HostError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

type Reply =
  | { kind: 'reply'; id: number; ok: true; value: unknown }
  | { kind: 'reply'; id: number; ok: false; failure: Failure }
  | { kind: 'event'; name: string; body: unknown };

/**
 * The host's api as an object of async methods, and its events; the webview's half of protocol/rpc.ts, same messages.
 * A webview needs neither cancel nor progress calls: what runs long reports by events.
 */
export function connectHost<Api extends object, Events extends object>(
  over: Port = port,
): { readonly api: Remote<Api>; on<K extends keyof Events & string>(name: K, listener: (body: Events[K]) => void): () => void } {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  const listeners = new Map<string, Set<(body: never) => void>>();
  let next = 1;
  over.onMessage(raw => {
    const message = raw as Reply | undefined;
    if (message?.kind === 'event') for (const listener of listeners.get(message.name) ?? []) listener(message.body as never);
    if (message?.kind !== 'reply') return;
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.ok) call?.resolve(message.value);
    else call?.reject(new HostError(message.failure));
  });
  const call = (method: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      over.post({ kind: 'call', id, method, args, progress: false });
    });
  return {
    api: new Proxy({} as Remote<Api>, {
      get:
        (_, method: string) =>
        (...args: unknown[]) =>
          call(method, args),
    }),
    on: (name, listener) => {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener as (body: never) => void));
      return () => void all.delete(listener as (body: never) => void);
    },
  };
}
