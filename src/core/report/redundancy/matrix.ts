import type { Linear, Table } from '../../anatomy/anatomy.ts';
import { throwIfCancelled } from '../../errors.ts';
import { RUN } from '../../kernels/floats.ts';
import { type Acting, acting } from '../acting.ts';

/** What a step of the analysis is given to say how far it is and to be stopped. */
export interface Pace {
  readonly signal?: AbortSignal | undefined;
  /** Called before each piece of work: lets what waits in the process have its turn, and throws 'cancelled' when the signal has fired. */
  pause(): Promise<void>;
  /** Multiplications done, and on what. */
  done(work: number, what: string): void;
}

export function paceOf(signal: AbortSignal | undefined, done: Pace['done'] = () => {}): Pace {
  return {
    signal,
    done,
    pause: async () => {
      await new Promise(resolve => setImmediate(resolve));
      throwIfCancelled(signal);
    },
  };
}

/** What reading and looking at one value takes, in multiplications of a Gram matrix: measured. */
export const READ = 96;

export interface RowRun {
  readonly first: number;
  readonly last: number;
  /** To be read, not written. */
  readonly values_RC: Float32Array;
}

/** The rows of a matrix as it acts, in runs of about RUN elements. */
export async function* runsOf(matrix: Acting, pace: Omit<Pace, 'done'>): AsyncGenerator<RowRun> {
  const step = Math.max(1, Math.floor(RUN / matrix.columns));
  for (let first = 0; first < matrix.rows; first += step) {
    await pace.pause();
    const last = Math.min(matrix.rows, first + step);
    yield { first, last, values_RC: await matrix.rowsOf(first, last, pace.signal) };
  }
}

/** A matrix that is read by columns has to be held: 128 MiB of f32, more than any encoder matrix of a published BERT. */
export const MOST_HELD = 2 ** 25;

/** The matrix of an organ as it acts; undefined when its form is not understood, or it is empty. */
export async function matrixOf(organ: Linear | Table, signal?: AbortSignal): Promise<Acting | undefined> {
  const matrix = await acting(organ, signal);
  return matrix && matrix.rows * matrix.columns > 0 ? matrix : undefined;
}
