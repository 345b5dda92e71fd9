import type { Failure } from './messages.ts';

// One small rpc for both seams (webview <-> host, host <-> engine). An interface of async methods is the protocol; messages are derived.

export interface Port {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Calls as an interface; an AbortSignal anywhere among the arguments becomes a cancel message, a progress callback becomes events. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: never) => void) | undefined;
}

type Message =
  | { kind: 'call'; id: number; method: string; args: unknown[]; progress: boolean }
  | { kind: 'reply'; id: number; ok: true; value: unknown }
  | { kind: 'reply'; id: number; ok: false; failure: Failure }
  | { kind: 'cancel'; id: number }
  | { kind: 'progress'; id: number; body: unknown }
  | { kind: 'event'; name: string; body: unknown };

export type Handlers<Api> = {
  readonly [K in keyof Api]: Api[K] extends (...args: infer A) => infer R ? (...args: [...A, CallOptions?]) => R : never;
};
export type Remote<Api> = Handlers<Api>;

/** What a rejected remote call throws. */
export class RemoteError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Answers calls on `port` with `api`; every call is answered, also when it throws. `toFailure` turns what was thrown into plain data. */
export function serve<Api extends object, Events extends object = Record<string, never>>(
  port: Port,
  api: Handlers<Api>,
  toFailure: (error: unknown) => Failure,
): { emit<K extends keyof Events & string>(name: K, body: Events[K]): void } {
  const running = new Map<number, AbortController>();
  port.onMessage(raw => {
    const message = raw as Message;
    if (message?.kind === 'cancel') running.get(message.id)?.abort();
    if (message?.kind === 'call') void answer(message);
  });
  async function answer({ id, method, args, progress }: Extract<Message, { kind: 'call' }>): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    const options: CallOptions = {
      signal: controller.signal,
      ...(progress && { progress: (body: unknown) => port.post({ kind: 'progress', id, body } satisfies Message) }),
    };
    try {
      if (!Object.hasOwn(api, method)) throw new Error(`no method ${method}`);
      const value = await (api as Record<string, (...args: unknown[]) => unknown>)[method]!(...args, options);
      port.post({ kind: 'reply', id, ok: true, value } satisfies Message);
    } catch (error) {
      port.post({ kind: 'reply', id, ok: false, failure: toFailure(error) } satisfies Message);
    } finally {
      running.delete(id);
    }
  }
  return { emit: (name, body) => port.post({ kind: 'event', name, body } satisfies Message) };
}

/** The other side of `serve`: a proxy whose methods are calls. Pass `{ signal, progress }` as one argument more than the interface asks for. */
export function connect<Api extends object, Events extends object = Record<string, never>>(
  port: Port,
): {
  api: Remote<Api>;
  on<K extends keyof Events & string>(name: K, listener: (body: Events[K]) => void): void;
  failAll(failure: Failure): void;
} {
  let next = 1;
  const waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void; progress?: (body: never) => void }
  >();
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
  const isOptions = (value: unknown): value is CallOptions =>
    typeof value === 'object' && value !== null && ('signal' in value || 'progress' in value) && !Array.isArray(value);
  const api = new Proxy({} as Remote<Api>, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          const id = next++;
          const last = args.at(-1);
          const options = isOptions(last) ? (args.pop() as CallOptions) : {};
          waiting.set(id, { resolve, reject, ...(options.progress && { progress: options.progress }) });
          options.signal?.addEventListener('abort', () => port.post({ kind: 'cancel', id } satisfies Message), { once: true });
          port.post({ kind: 'call', id, method, args, progress: options.progress !== undefined } satisfies Message);
          if (options.signal?.aborted) port.post({ kind: 'cancel', id } satisfies Message);
        }),
  });
  return {
    api,
    on: (name, listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener as (body: never) => void]),
    failAll: failure => {
      for (const call of waiting.values()) call.reject(new RemoteError(failure));
      waiting.clear();
    },
  };
}
