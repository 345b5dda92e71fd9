import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as vscode from 'vscode';
import { type Sentence, sentence } from '../core/errors.ts';
import type { Failure, KeptEvaluation, Measurement } from '../protocol/messages.ts';
import { toFailure } from './failure.ts';
import { measuredAgainst, recall } from './kept.ts';
import type { Services } from './services.ts';
import { chooseTexts, ownSentences, type Texts } from './texts.ts';
import { refuseUntrusted } from './trust.ts';

/** Of all files of a model. A run holds both in memory and takes seconds; beyond this the person is asked. */
const mostBytes = 1.5e9;

/** The measuring of one pair of models: what was kept, what runs, what came of it. */
export class Measuring {
  readonly #services: Services;
  readonly #before: string;
  readonly #after: string;
  readonly #changed: (measurement: Measurement) => void;
  #running: AbortController | undefined;
  #disposed = false;
  measurement: Measurement = { state: 'none' };
  /** Shown again when a later run is cancelled. */
  #known: Measurement | undefined;

  constructor(services: Services, before: string, after: string, changed: (measurement: Measurement) => void) {
    this.#services = services;
    this.#before = before;
    this.#after = after;
    this.#changed = changed;
  }

  /** Shows what was kept. Where there is nothing, and `automatic`, measures on the extension's own sentences. `fileBytes` of both models. */
  async begin(automatic: boolean, fileBytes: readonly number[]): Promise<void> {
    const kept = await this.#recall();
    if (this.#running || this.#disposed) return;
    if (kept) this.#show({ state: 'done', ...kept });
    if (!automatic || (kept && !kept.changed)) return;
    const why = reasonAgainst(fileBytes);
    if (why) {
      if (!kept) this.#show({ state: 'none', why });
    } else await this.#measure(await ownSentences(this.#services, this.#after), true);
  }

  /** Asks on what, and measures. */
  async choose(): Promise<void> {
    await refuseUntrusted(sentence('A model is run only in a folder that is trusted.'));
    const texts = await chooseTexts(this.#services, this.#after);
    if (texts) await this.#measure(texts);
  }

  cancel(): void {
    this.#running?.abort();
  }

  /** The files are looked at anew: what runs is of files that may be gone. */
  forget(): void {
    this.cancel();
    this.#running = undefined;
    this.#known = undefined;
    this.measurement = { state: 'none' };
  }

  dispose(): void {
    this.#disposed = true;
    this.cancel();
  }

  async #recall(): Promise<{ readonly kept: KeptEvaluation; readonly changed: boolean } | undefined> {
    const found = await recall(this.#services, this.#after);
    const kept = found && measuredAgainst(found.record, this.#after, this.#before);
    return kept ? { kept, changed: found.changed || (await writtenAfter(this.#before, kept.at)) } : undefined;
  }

  async #measure({ title, ...request }: Texts, unasked = false): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const show = (measurement: Measurement): void => {
      if (this.#running === running) this.#show(measurement);
    };
    show({ state: 'running', title, progress: null });
    const { engine, log } = this.#services;
    try {
      const evaluation = await engine.api.evaluate(
        this.#after,
        { ...request, ...(request.texts && { title }), layers: true, against: this.#before },
        { signal: running.signal, progress: progress => show({ state: 'running', title, progress }) },
      );
      const named = { ...evaluation, task: title };
      show({ state: 'done', changed: false, ...(await this.#keep(named, request)) });
    } catch (error) {
      const failure = toFailure(error);
      if (failure.code === 'cancelled') return show(this.#known ?? { state: 'cancelled' });
      // A model that cannot be run is no failure of a run that nobody asked for.
      if (unasked && failure.code === 'unsupported') return show({ state: 'none', why: failure.sentence });
      log.failed(`measure ${this.#after} against ${this.#before}`, failure);
      show({ state: 'failed', failure });
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  /** A folder that cannot be written to, or a foreign file of that name, leaves the result on the screen. */
  async #keep(
    evaluation: KeptEvaluation['evaluation'],
    { texts, task }: Omit<Texts, 'title'>,
  ): Promise<{ readonly kept: KeptEvaluation; readonly unkept?: Failure }> {
    const { engine, log, documents } = this.#services;
    try {
      const record = await engine.api.keepRecord(this.#after, {
        evaluation,
        against: this.#before,
        ...(texts && { texts }),
        ...(task !== undefined && { task }),
      });
      documents.recall(this.#after);
      return { kept: record.evaluations[0]! };
    } catch (error) {
      const unkept = toFailure(error);
      log.failed(`keep a record beside ${this.#after}`, unkept);
      return { kept: { evaluation, against: resolve(this.#before), texts: '', at: new Date().toISOString() }, unkept };
    }
  }

  #show(measurement: Measurement): void {
    this.measurement = measurement;
    if (measurement.state === 'done') this.#known = measurement;
    if (!this.#disposed) this.#changed(measurement);
  }
}

/** Why two models are not run unasked. */
function reasonAgainst(fileBytes: readonly number[]): Sentence | undefined {
  if (!vscode.workspace.isTrusted) return sentence('A model is run only in a folder that is trusted.');
  if (Math.max(...fileBytes) > mostBytes) return sentence('Models of this size are run only when you ask for it.');
  return undefined;
}

const writtenAfter = (path: string, at: string): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs > Date.parse(at),
    () => false,
  );
