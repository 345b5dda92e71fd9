import { useEffect, useRef, useState } from 'preact/hooks';
import type { Failure, ProgressEvent } from '../../../../src/protocol/messages.ts';
import { HostError } from '../../../bridge.ts';

// Work that reads weights: begun a little after it is wanted, cancelled when it is wanted no more, kept once it is done.

export type Reading<T> =
  /** Not asked for yet: it would take long. */
  | { readonly state: 'idle' }
  /** `late` after 0.2 s: only then is a wait shown. */
  | { readonly state: 'reading'; readonly late: boolean; readonly progress: ProgressEvent | null }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'failed'; readonly failure: Failure };

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly progress: (event: ProgressEvent) => void;
}

/** What was read of one state of the file, by key; the oldest goes first. */
export class Readings {
  readonly #kept = new Map<string, unknown>();
  has(key: string): boolean {
    return this.#kept.has(key);
  }
  get(key: string): unknown {
    return this.#kept.get(key);
  }
  set(key: string, value: unknown): void {
    this.#kept.set(key, value);
    if (this.#kept.size > 200) this.#kept.delete(this.#kept.keys().next().value!);
  }
}

/** Milliseconds: a selection that moves on at once reads nothing; a wait shorter than `patience` is not shown. */
const settling = 150;
const patience = 200;

export interface ReadingOptions<T> {
  /** null: nothing is wanted now. */
  readonly key: string | null;
  readonly read: (options: CallOptions) => Promise<T>;
  readonly readings: Readings;
  /** Begin without being asked. */
  readonly automatic: boolean;
  /** Milliseconds before it begins. */
  readonly delay?: number;
}

export function useReading<T>({ key, read, readings, automatic, delay = settling }: ReadingOptions<T>): {
  readonly reading: Reading<T>;
  readonly start: () => void;
  readonly cancel: () => void;
} {
  const [known, setKnown] = useState<{ key: string | null; reading: Reading<T> }>({ key: null, reading: { state: 'idle' } });
  const [asked, setAsked] = useState<{ key: string | null; times: number }>({ key: null, times: 0 });
  const controller = useRef<AbortController | null>(null);
  const wanted = key !== null && (automatic || asked.key === key);

  useEffect(() => {
    if (key === null || !wanted || readings.has(key)) return;
    const abort = new AbortController();
    controller.current = abort;
    let progress: ProgressEvent | null = null;
    let late = false;
    const show = (reading: Reading<T>): void => {
      if (!abort.signal.aborted) setKnown({ key, reading });
    };
    const working = (): void => show({ state: 'reading', late, progress });
    const follow = (event: ProgressEvent): void => {
      progress = event;
      if (late) working();
    };
    let patient: ReturnType<typeof setTimeout> | undefined;
    working();
    const begin = setTimeout(() => {
      patient = setTimeout(() => {
        late = true;
        working();
      }, patience);
      read({ signal: abort.signal, progress: follow })
        .then(
          value => {
            if (!abort.signal.aborted) readings.set(key, value);
            show({ state: 'done', value });
          },
          (error: unknown) => show({ state: 'failed', failure: failureOf(error) }),
        )
        .finally(() => clearTimeout(patient));
    }, delay);
    return () => {
      clearTimeout(begin);
      clearTimeout(patient);
      abort.abort();
    };
  }, [key, wanted, asked.times, readings]);

  let reading: Reading<T> = { state: 'idle' };
  if (key !== null && readings.has(key)) reading = { state: 'done', value: readings.get(key) as T };
  else if (known.key === key && key !== null) reading = known.reading;
  else if (wanted) reading = { state: 'reading', late: false, progress: null };
  return {
    reading,
    start: () => setAsked(({ times }) => ({ key, times: times + 1 })),
    cancel: () => {
      controller.current?.abort();
      setKnown({ key, reading: { state: 'failed', failure: cancelled } });
    },
  };
}

const cancelled: Failure = { code: 'cancelled', message: 'Cancelled.', sentence: { text: 'Cancelled.' } };

export const failureOf = (error: unknown): Failure =>
  error instanceof HostError ? error.failure : { code: 'io', message: String(error), sentence: { text: String(error) } };
