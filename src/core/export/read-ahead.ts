import { readFloats } from '../tensor/floats.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';

/** Elements that are read at once, 4 MiB: all of most matrices. */
export const PIECE = 1024 * 1024;

/** Elements of a matrix, and the memory they lie in, which is given back. */
export interface Piece {
  readonly values: Float32Array;
  readonly memory?: Float32Array;
}

interface Started {
  readonly tensor: Tensor;
  readonly memory: Float32Array;
  readonly values: Promise<Float32Array>;
}

/**
 * Reads matrices in the order in which they are written: while one is turned the next is on its way from the disk. Memory is used again:
 * fresh memory is as slow as the turning itself.
 */
export class ReadAhead {
  readonly #following = new Map<Tensor, Tensor>();
  readonly #spare: Float32Array[] = [];
  #last: Tensor | undefined;
  #largest = 0;
  #started: Started | undefined;

  /** The matrix that is written behind the last that was added. */
  add(tensor: Tensor): void {
    if (this.#last) this.#following.set(this.#last, tensor);
    this.#last = tensor;
    this.#largest = Math.max(this.#largest, Math.min(PIECE, elementCount(tensor.shape)));
  }

  /** All of a matrix of at most PIECE elements. throws what its reading throws; what reading the next throws waits until that is asked for */
  async whole(tensor: Tensor, signal?: AbortSignal): Promise<Piece> {
    const { memory, values } = this.#take(tensor) ?? this.#start(tensor, signal);
    const read = await values;
    const next = this.#following.get(tensor);
    if (next && elementCount(next.shape) <= PIECE && isPlain(next)) this.#started = this.#start(next, signal);
    return { values: read, memory };
  }

  /** Some of a larger one. */
  async part(tensor: Tensor, start: number, end: number, signal?: AbortSignal): Promise<Piece> {
    const memory = this.#memory();
    return { values: await floats(tensor, start, end, memory, signal), memory };
  }

  giveBack({ memory }: Piece): void {
    if (memory && this.#spare.length < 2) this.#spare.push(memory);
  }

  /** No larger than needed: what lies outside the heap makes the collector run, which takes longer than the turning. */
  #memory(): Float32Array {
    return this.#spare.pop() ?? new Float32Array(this.#largest);
  }

  #take(tensor: Tensor): Started | undefined {
    const started = this.#started;
    this.#started = undefined;
    return started?.tensor === tensor ? started : undefined;
  }

  #start(tensor: Tensor, signal?: AbortSignal): Started {
    const memory = this.#memory();
    const values = floats(tensor, 0, elementCount(tensor.shape), memory, signal);
    values.catch(() => undefined);
    return { tensor, memory, values };
  }
}

const isPlain = ({ dtype, bytesInto }: Tensor): boolean => dtype === 'fp32' && bytesInto !== undefined;

/** Elements of the source; of fp32 they are read into `memory` where they fit. */
async function floats(
  tensor: Tensor,
  start: number,
  end: number,
  memory: Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (!isPlain(tensor) || end - start > memory.length) return readFloats(tensor, start, end, signal);
  const values = memory.subarray(0, end - start);
  await tensor.bytesInto!(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start * 4, signal);
  return values;
}
