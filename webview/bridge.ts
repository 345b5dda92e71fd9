import { connect, type Port, type Remote } from '../src/protocol/rpc.ts';

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
export { RemoteError as HostError } from '../src/protocol/rpc.ts';

export interface Host<Api extends object, Events extends object> {
  /** Pass `{ signal, progress }` last to cancel a call or to follow it. */
  readonly api: Remote<Api>;
  /** The function returned stops listening. */
  on<K extends keyof Events & string>(name: K, listener: (body: Events[K]) => void): () => void;
}

/** The host's api as an object of async methods, and its events. */
export function connectHost<Api extends object, Events extends object>(over: Port = port): Host<Api, Events> {
  const { api, on } = connect<Api, Events>(over);
  return {
    api,
    on: (name, listener) => {
      let listening = true;
      on(name, body => {
        if (listening) listener(body);
      });
      return () => {
        listening = false;
      };
    },
  };
}
