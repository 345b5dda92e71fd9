import * as vscode from 'vscode';
import { fail } from '../core/errors.ts';
import type { CompressRequest, EngineApi, Made, PassInfo, ProgressEvent } from '../protocol/messages.ts';
import { commandLine } from './command-line.ts';

/** One model being written. It goes on when the page that started it is closed. */
export interface Job {
  readonly request: CompressRequest;
  readonly done: Promise<Made>;
  readonly onProgress: vscode.Event<ProgressEvent>;
  /** The latest, for a page that is opened in mid-work. */
  readonly progress: ProgressEvent;
  cancel(): void;
}

/** The work in progress, by what is written. */
export class Jobs {
  readonly #engine: EngineApi;
  readonly #running = new Map<string, Job>();

  constructor(engine: EngineApi) {
    this.#engine = engine;
  }

  /** The job that reads `path`, if there is one. */
  of(path: string): Job | undefined {
    return [...this.#running.values()].find(job => job.request.path === path);
  }

  start(request: CompressRequest): Job {
    if (this.#running.has(request.out))
      throw fail('output-exists', '{file} is being written already. Wait for it, or choose another name.', { file: request.out });
    const controller = new AbortController();
    const emitter = new vscode.EventEmitter<ProgressEvent>();
    let latest: ProgressEvent = { what: '' };
    const progress = (event: ProgressEvent) => {
      latest = event;
      emitter.fire(event);
    };
    const done = this.#run(request, controller.signal, progress).finally(() => {
      this.#running.delete(request.out);
      emitter.dispose();
    });
    const job: Job = {
      request,
      done,
      onProgress: emitter.event,
      get progress() {
        return latest;
      },
      cancel: () => controller.abort(),
    };
    this.#running.set(request.out, job);
    return job;
  }

  async #run(request: CompressRequest, signal: AbortSignal, progress: (event: ProgressEvent) => void): Promise<Made> {
    const { steps: _, ...report } = await this.#engine.compress(request, { signal, progress });
    const passes: readonly PassInfo[] = await this.#engine.passes();
    const { path, recipe, out, calibration } = request;
    const command = commandLine(path, recipe, out, passes, calibration);
    return { recipe, report, command, ...(calibration !== undefined && { calibration }) };
  }
}
