import type { Failure } from './messages.ts';

// One small rpc for both seams (webview <-> host, host <-> engine). An interface of async methods is the protocol; messages are derived.

export interface Port {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** What a call may carry beside its arguments: an AbortSignal becomes a cancel message, a progress callback becomes progress messages. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: never) => void) | undefined;
}

type Message =
  /** `options` is what the last argument held beside signal and progress. */
  | { kind: 'call'; id: number; method: string; args: unknown[]; options?: object; progress: boolean }
  | { kind: 'reply'; id: number; ok: true; value: unknown }
  | { kind: 'reply'; id: number; ok: false; failure: Failure }
  | { kind: 'cancel'; id: number }
  | { kind: 'progress'; id: number; body: unknown }
  | { kind: 'event'; name: string; body: unknown };

/** What a handler gets after its arguments; it may report anything its caller understands. */
export interface Received {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: unknown) => void) | undefined;
}

type With<Options, Api> = {
  readonly [K in keyof Api]: Api[K] extends (...args: infer A) => infer R ? (...args: [...A, Options?]) => R : never;
};
export type Handlers<Api> = With<Received, Api>;
export type Remote<Api> = With<CallOptions, Api>;

/** What a rejected remote call throws. */
export class RemoteError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export interface Served<Events extends object> {
  emit<K extends keyof Events & string>(name: K, body: Events[K]): void;
  /** Cancels every call in progress, as when whoever asked is gone; resolves when they have all ended. */
  cancelAll(): Promise<void>;
}

/** Answers calls on `port` with `api`; every call is answered, also when it throws. `toFailure` turns what was thrown into plain data. */
export function serve<Api extends object, Events extends object = Record<string, never>>(
  port: Port,
  api: Handlers<Api>,
  toFailure: (error: unknown) => Failure,
): Served<Events> {
  const running = new Map<number, { readonly controller: AbortController; ended?: Promise<void> }>();
  port.onMessage(raw => {
    const message = raw as Message;
    if (message?.kind === 'cancel') running.get(message.id)?.controller.abort();
    if (message?.kind !== 'call') return;
    const call: { controller: AbortController; ended?: Promise<void> } = { controller: new AbortController() };
    running.set(message.id, call);
    call.ended = answer(message, call.controller.signal).finally(() => running.delete(message.id));
  });
  async function answer(call: Extract<Message, { kind: 'call' }>, signal: AbortSignal): Promise<void> {
    const { id, method, args, progress } = call;
    const report = (body: unknown) => port.post({ kind: 'progress', id, body } satisfies Message);
    try {
      if (!Object.hasOwn(api, method)) throw new Error(`no method ${method}`);
      const handler = (api as Record<string, (...args: unknown[]) => unknown>)[method]!;
      const value = await handler(...args, { ...call.options, signal, ...(progress && { progress: report }) });
      port.post({ kind: 'reply', id, ok: true, value } satisfies Message);
    } catch (error) {
      port.post({ kind: 'reply', id, ok: false, failure: toFailure(error) } satisfies Message);
    }
  }
  return {
    emit: (name, body) => port.post({ kind: 'event', name, body } satisfies Message),
    cancelAll: async () => {
      for (const { controller } of running.values()) controller.abort();
      await Promise.allSettled([...running.values()].map(call => call.ended));
    },
  };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly progress?: ((body: never) => void) | undefined;
}

export interface Connection<Api extends object, Events extends object> {
  readonly api: Remote<Api>;
  on<K extends keyof Events & string>(name: K, listener: (body: Events[K]) => void): void;
  /** Rejects every call in progress: the other side is gone. */
  failAll(failure: Failure): void;
}

/** The other side of `serve`: a proxy whose methods are calls. Pass `{ signal, progress }` last; other options beside them travel with the call. */
export function connect<Api extends object, Events extends object = Record<string, never>>(port: Port): Connection<Api, Events> {
  let next = 1;
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, ((body: never) => void)[]>();
  port.onMessage(raw => {
    const message = raw as Message;
    if (message?.kind === 'progress') waiting.get(message.id)?.progress?.(message.body as never);
    if (message?.kind === 'event') for (const listener of listeners.get(message.name) ?? []) listener(message.body as never);
    if (message?.kind !== 'reply') return;
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.ok) call?.resolve(message.value);
    else call?.reject(new RemoteError(message.failure));
  });
  const api = new Proxy({} as Remote<Api>, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        call(method, args),
  });
  function call(method: string, given: unknown[]): Promise<unknown> {
    const id = next++;
    const { args, options, signal, progress } = separate(given);
    const cancel = () => port.post({ kind: 'cancel', id } satisfies Message);
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject, progress });
      signal?.addEventListener('abort', cancel, { once: true });
      const message: Message = { kind: 'call', id, method, args, progress: progress !== undefined, ...(options && { options }) };
      port.post(message);
      if (signal?.aborted) cancel();
    }).finally(() => signal?.removeEventListener('abort', cancel));
  }
  return {
    api,
    on: (name, listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener as (body: never) => void]),
    failAll: failure => {
      for (const call of waiting.values()) call.reject(new RemoteError(failure));
      waiting.clear();
    },
  };
}

/** Functions and signals do not cross a port: the last argument's are taken out, the rest of it travels as `options`. */
function separate(given: unknown[]): CallOptions & { args: unknown[]; options?: object } {
  const last = given.at(-1);
  if (typeof last !== 'object' || last === null || !('signal' in last || 'progress' in last)) return { args: given };
  const { signal, progress, ...options } = last as CallOptions;
  return { args: given.slice(0, -1), signal, progress, ...(Object.keys(options).length > 0 && { options }) };
}
