import { type ChildProcess, fork } from 'node:child_process';
import { basename } from 'node:path';
import { sentence } from '../core/errors.ts';
import type { EngineApi, Failure, ProgressEvent } from '../protocol/messages.ts';
import { type Connection, connect, RemoteError } from '../protocol/rpc.ts';

export interface EngineOptions {
  /** Path of dist/engine.mjs. */
  readonly modulePath: string;
  /** Of the engine's JavaScript heap; weights live outside it, in chunks. Read at each start. */
  readonly memoryMegabytes: () => number;
  readonly log: (line: string) => void;
  /** A failed compress left the engine dead: what it was writing must be taken away. `pid` is the dead process's. */
  readonly removeLeftovers: (out: string, pid: number) => Promise<void>;
  /** Kept alive this long after the last call: starting takes about 0.1 s. */
  readonly lingerMs?: number;
  /** An engine that has not answered a cancel by then is ended. */
  readonly cancelGraceMs?: number;
}

interface Worker {
  readonly process: ChildProcess;
  readonly api: EngineApi;
  readonly pid: number;
  readonly ended: Promise<void>;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: ProgressEvent) => void) | undefined;
}

/** The engine process and its life: started by the first call, shared by all, started anew after it died, ended after a while without work. */
export class Engine {
  readonly #options: EngineOptions;
  readonly api: EngineApi;
  #worker: Worker | undefined;
  #calls = 0;
  #linger: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.api = {
      inspect: (path, given) => this.#call(given, (api, options) => api.inspect(path, { ...given, ...options })),
      passes: () => this.#call(undefined, api => api.passes()),
      compress: (request, given) =>
        this.#call(given, (api, options) => api.compress(request, options), request.dryRun ? undefined : request.out),
      export: (path, out, given) => this.#call(given, (api, options) => api.export(path, out, { ...given, ...options }), out),
      compare: (before, after, given) =>
        this.#call(given, (api, options) => api.compare(before, after, { layers: given?.layers, ...options })),
      matrixDiff: (before, after, id, request, given) =>
        this.#call(given, (api, options) => api.matrixDiff(before, after, id, request, { layers: given?.layers, ...options })),
      evaluate: (path, request, given) =>
        this.#call(given, (api, options) => api.evaluate(path, request, options), undefined, path),
      stateHeads: (path, heads) => this.#call(undefined, api => api.stateHeads(path, heads)),
      scores: (path, request, given) => this.#call(given, (api, options) => api.scores(path, request, options), undefined, path),
      sensitivity: (path, request, given) =>
        this.#call(given, (api, options) => api.sensitivity(path, request, options), undefined, path),
      outputSpectrum: (path, id, request, given) =>
        this.#call(given, (api, options) => api.outputSpectrum(path, id, request, options), undefined, path),
      ownSentences: path => this.#call(undefined, api => api.ownSentences(path)),
      attention: (path, request, given) =>
        this.#call(given, (api, options) => api.attention(path, request, options), undefined, path),
      record: (path, given) => this.#call(given, (api, options) => api.record(path, options)),
      keepRecord: (path, kept) => this.#call(undefined, api => api.keepRecord(path, kept)),
      document: (comparison, made, kind, measured) =>
        this.#call(undefined, api => api.document(comparison, made, kind, measured)),
      summaryDocument: (summary, kind) => this.#call(undefined, api => api.summaryDocument(summary, kind)),
      statistics: (path, tensor, given) => this.#call(given, (api, options) => api.statistics(path, tensor, options)),
      heatMap: (path, tensor, request, given) => this.#call(given, (api, options) => api.heatMap(path, tensor, request, options)),
      values: (path, tensor, request, given) => this.#call(given, (api, options) => api.values(path, tensor, request, options)),
      exportTensor: (path, tensor, kind, out, given) =>
        this.#call(given, (api, options) => api.exportTensor(path, tensor, kind, out, { ...given, ...options }), out),
      headMeasures: (path, given) => this.#call(given, (api, options) => api.headMeasures(path, options)),
      redundancy: (path, given) => this.#call(given, (api, options) => api.redundancy(path, options)),
      savings: (path, given) => this.#call(given, (api, options) => api.savings(path, options)),
    };
  }

  /** Undefined while no engine runs. */
  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  /** Ends the process. Its work in progress is cancelled and leaves nothing behind. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#linger);
    this.#release();
  }

  /** `out`: what the call writes, to be cleaned up after a crash. `runs`: the model that onnxruntime runs, which may end the process. */
  async #call<T>(
    given: CallOptions | undefined,
    start: (api: EngineApi, options: CallOptions) => Promise<T>,
    out?: string,
    runs?: string,
  ): Promise<T> {
    clearTimeout(this.#linger);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    let what = '';
    const progress = (event: ProgressEvent): void => {
      what = event.what;
      given?.progress?.(event);
    };
    const signal = given?.signal;
    let grace: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      grace = setTimeout(() => this.#end(worker, 'did not answer a cancel'), this.#options.cancelGraceMs ?? 2000);
    };
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    this.#calls += 1;
    try {
      return await start(worker.api, { signal, progress });
    } catch (error) {
      if (!(error instanceof RemoteError) || error.failure.code !== 'engine-stopped') throw error;
      await worker.ended;
      if (out !== undefined) await this.#options.removeLeftovers(out, worker.pid);
      if (signal?.aborted) throw new RemoteError(cancelled);
      throw new RemoteError(runs === undefined ? stopped(what) : stoppedRunning(what || basename(runs)));
    } finally {
      clearTimeout(grace);
      signal?.removeEventListener('abort', cancel);
      this.#calls -= 1;
      this.#lingerOn();
    }
  }

  #start(): Worker {
    if (this.#disposed) throw new RemoteError(stopped(''));
    const { modulePath, memoryMegabytes, log } = this.#options;
    const child = fork(modulePath, [], {
      serialization: 'advanced',
      // Replaces the host's own flags (an inspector's port, for one).
      // A small nursery: 50,000 tensors otherwise hold 100 MB more for no gain in time.
      execArgv: [`--max-old-space-size=${memoryMegabytes()}`, '--max-semi-space-size=2'],
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const pid = child.pid ?? -1;
    log(`engine ${pid} started`);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => log(`engine ${pid}: ${text.trimEnd()}`));
    const connection: Connection<EngineApi, Record<string, never>> = connect<EngineApi>({
      // A message to a process that has just died is lost; its exit fails the call.
      post: message => void (child.connected && child.send(message as never, () => undefined)),
      onMessage: listener => void child.on('message', listener),
    });
    const ended = new Promise<void>(resolve => {
      const end = (reason: string): void => {
        log(`engine ${pid} ended: ${reason}`);
        if (this.#worker?.process === child) this.#worker = undefined;
        connection.failAll(stopped(''));
        resolve();
      };
      child.once('error', error => end(error.message));
      child.once('exit', (code, signal) => end(signal ?? `code ${code}`));
    });
    return { process: child, api: connection.api as EngineApi, pid, ended };
  }

  #lingerOn(): void {
    clearTimeout(this.#linger);
    if (this.#calls > 0 || !this.#worker) return;
    this.#linger = setTimeout(() => this.#release(), this.#options.lingerMs ?? 60_000);
    this.#linger.unref();
  }

  /** Lets the process go: it cancels what it does, cleans up and ends by itself. */
  #release(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker?.process.connected) worker.process.disconnect();
  }

  #end(worker: Worker, reason: string): void {
    this.#options.log(`engine ${worker.pid}: ${reason}`);
    worker.process.kill('SIGKILL');
  }
}

/** Without what VS Code set for its own processes; with the switch that makes Electron behave as Node. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|NODE_OPTIONS$)/.test(name));
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}

const cancelled: Failure = {
  code: 'cancelled',
  message: 'Cancelled. Nothing was written.',
  sentence: sentence('Cancelled. Nothing was written.'),
};

/** onnxruntime is native: what it cannot bear ends the process that runs it. */
function stoppedRunning(file: string): Failure {
  const what = sentence('The worker stopped while it ran this model. VS Code and the files are not affected.');
  const message = `${file}: The worker stopped while it ran this model. VS Code and the files are not affected.`;
  return { code: 'engine-stopped', message, sentence: what, file, hint: sentence('The log says more.') };
}

function stopped(layer: string): Failure {
  const what = layer
    ? sentence('The worker stopped while on {layer}. Nothing was written.', { layer })
    : sentence('The worker stopped. Nothing was written.');
  const message = layer
    ? `The worker stopped while on ${layer}. Nothing was written.`
    : 'The worker stopped. Nothing was written.';
  return { code: 'engine-stopped', message, sentence: what, hint: sentence('Try again. The log says more.') };
}
