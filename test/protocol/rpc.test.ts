import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fail } from '../../src/core/errors.ts';
import { toFailure } from '../../src/core/session/failure.ts';
import { connect, type Handlers, type Port, RemoteError, serve } from '../../src/protocol/rpc.ts';

/** Two ports joined back to back; messages are cloned, as between processes, and arrive later, as between processes. */
function joined(): [Port, Port] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const port = (mine: number): Port => ({
    post: message => {
      const copy = structuredClone(message);
      setImmediate(() => {
        for (const listener of listeners[1 - mine]!) listener(copy);
      });
    },
    onMessage: listener => void listeners[mine]!.push(listener),
  });
  return [port(0), port(1)];
}

interface Counter {
  add(a: number, b: number): Promise<number>;
  refuse(): Promise<void>;
  crash(): Promise<void>;
  slow(options?: { signal?: AbortSignal; progress?: (event: { what: string }) => void }): Promise<string>;
  echo(path: string, options?: { stats?: boolean; signal?: AbortSignal }): Promise<unknown>;
}

const counter: Handlers<Counter> = {
  add: async (a, b) => a + b,
  refuse: async () => {
    throw fail('truncated', 'This file is cut short.', undefined, { file: 'model.onnx', offset: 12 });
  },
  crash: async () => {
    throw new TypeError('nothing here');
  },
  slow: async options => {
    options?.progress?.({ what: 'layer 0' } as never);
    await new Promise((_, reject) => {
      const cancelled = () => reject(fail('cancelled', 'Cancelled. Nothing was written.'));
      if (options?.signal?.aborted) cancelled();
      options?.signal?.addEventListener('abort', cancelled);
    });
    return 'never';
  },
  echo: async (_, options) => ({ ...options, signal: options?.signal instanceof AbortSignal }),
};

function served() {
  const [client, server] = joined();
  const ends = serve<Counter, { tick: number }>(server, counter, toFailure);
  return { ...connect<Counter, { tick: number }>(client), ...ends, client };
}

const failureOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => assert.fail('it resolved'),
    error => error,
  );
  assert.ok(error instanceof RemoteError);
  return error.failure;
};

test('a call is answered with its value', async () => {
  assert.equal(await served().api.add(2, 3), 5);
});

test('calls in progress at the same time each get their own answer', async () => {
  const { api } = served();
  assert.deepEqual(await Promise.all([1, 2, 3].map(n => api.add(n, n))), [2, 4, 6]);
});

test('a refusal keeps its code, sentence, file and offset', async () => {
  const failure = await failureOf(served().api.refuse());
  assert.deepEqual(
    [failure.code, failure.file, failure.offset, failure.sentence.text],
    ['truncated', 'model.onnx', 12, 'This file is cut short.'],
  );
});

test('a defect is answered too, with code io and its own words', async () => {
  const failure = await failureOf(served().api.crash());
  assert.equal(failure.code, 'io');
  assert.match(failure.message, /nothing here/);
});

test('a method that does not exist is answered with a failure, also one that every object has', async () => {
  const { api } = served();
  for (const method of ['missing', 'toString', 'constructor', '__proto__'])
    assert.match((await failureOf((api as unknown as Record<string, () => Promise<unknown>>)[method]!())).message, /no method/);
});

test('a value that cannot be copied is a failure, not a silence', async () => {
  const [client, server] = joined();
  serve<{ bad(): Promise<unknown> }>(server, { bad: async () => () => 1 }, toFailure);
  assert.equal((await failureOf(connect<{ bad(): Promise<unknown> }>(client).api.bad())).code, 'io');
});

test('progress reaches the caller that asked for it, and an abort becomes a cancel', async () => {
  const { api } = served();
  const controller = new AbortController();
  const seen: string[] = [];
  const call = failureOf(
    api.slow({
      signal: controller.signal,
      progress: ({ what }) => {
        seen.push(what);
        controller.abort();
      },
    }),
  );
  assert.equal((await call).code, 'cancelled');
  assert.deepEqual(seen, ['layer 0']);
});

test('a call whose signal has already fired is cancelled', async () => {
  assert.equal((await failureOf(served().api.slow({ signal: AbortSignal.abort() }))).code, 'cancelled');
});

test('other options beside signal and progress travel with the call', async () => {
  const { api } = served();
  const signal = new AbortController().signal;
  assert.deepEqual(await api.echo('a', { stats: true, signal }), { stats: true, signal: true });
  assert.deepEqual(await api.echo('a', { signal }), { signal: true });
});

test('events reach every listener', async () => {
  const { on, emit } = served();
  const seen: number[] = [];
  on('tick', n => seen.push(n));
  on('tick', n => seen.push(n * 10));
  emit('tick', 7);
  await turn();
  await turn();
  assert.deepEqual(seen, [7, 70]);
});

test('when the other side is gone every call fails with the reason, and a late answer is ignored', async () => {
  const { api, failAll } = served();
  const calls = [failureOf(api.slow()), failureOf(api.slow())];
  failAll(toFailure(fail('engine-stopped', 'The worker stopped. Nothing was written.')));
  for (const call of calls) assert.equal((await call).code, 'engine-stopped');
});

test('cancelAll cancels what runs and waits for it to end', async () => {
  const { api, cancelAll } = served();
  const call = failureOf(api.slow());
  await turn();
  await cancelAll();
  assert.equal((await call).code, 'cancelled');
});

test('messages that are none of ours are ignored', async () => {
  const { client, api } = served();
  for (const junk of [null, 1, 'call', {}, { kind: 'reply', id: 99, ok: true }, { kind: 'cancel', id: 99 }]) client.post(junk);
  assert.equal(await api.add(1, 1), 2);
});
