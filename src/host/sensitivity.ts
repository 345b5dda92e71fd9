import { dirname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ProgressEvent, SensitivityQuestion, SensitivityView } from '../protocol/messages.ts';
import { toFailure } from './failure.ts';
import type { Services } from './services.ts';

/** The measuring of what each part of one model costs: what runs, what came of it. */
export class SensitivityMeasuring {
  readonly #services: Services;
  readonly #path: string;
  readonly #changed: (view: SensitivityView) => void;
  #view: SensitivityView = { state: 'none' };
  #started = 0;
  #running: AbortController | undefined;

  constructor(services: Services, path: string, changed: (view: SensitivityView) => void) {
    this.#services = services;
    this.#path = path;
    this.#changed = changed;
  }

  get view(): SensitivityView {
    return this.#view.state === 'running' ? { ...this.#view, elapsedMs: performance.now() - this.#started } : this.#view;
  }

  /** An older question ends. */
  begin(asked: SensitivityQuestion): void {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#started = performance.now();
    this.#show({ state: 'running', asked, progress: null, elapsedMs: 0 });
    void this.#measure(asked, running);
  }

  cancel(): void {
    if (!this.#running) return;
    this.dispose();
    this.#show({ state: 'none', cancelled: true });
  }

  dispose(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #measure(asked: SensitivityQuestion, running: AbortController): Promise<void> {
    const show = (view: SensitivityView): void => {
      if (this.#running === running) this.#show(view);
    };
    const progress = (event: ProgressEvent): void =>
      show({ state: 'running', asked, progress: event, elapsedMs: performance.now() - this.#started });
    const { step, parts, calibration, format } = asked;
    const text = calibration.trim() === '' ? {} : { calibration: resolve(dirname(this.#path), calibration.trim()) };
    try {
      const { engine } = this.#services;
      const options = { signal: running.signal, progress };
      const sensitivity = await engine.api.sensitivity(this.#path, { step, parts, format, ...text }, options);
      show({ state: 'done', asked, sensitivity });
    } catch (error) {
      if (running.signal.aborted) return;
      const failure = toFailure(error);
      this.#services.log.failed(`sensitivity of ${this.#path}`, failure);
      show({ state: 'failed', asked, failure });
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  #show(view: SensitivityView): void {
    this.#view = view;
    this.#changed(view);
  }
}
