import { fail, sentence } from '../../errors.ts';
import { type BlockShape, borrowBlocks } from '../../kernels/blocks.ts';
import { RUN, rowRuns } from '../../kernels/floats.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computedInto, deferred, madeFrom } from '../computed.ts';
import { packLevels } from './int4-levels.ts';

/** A matrix in blocks along its inputs. Nothing is read until one of the tensors is; each may be read more than once, in any order. */
export interface Blocks {
  /** uint8 [channels, blocks, block size * bits / 8], low bits first. */
  readonly values: Tensor;
  /** f32 [channels, blocks]. */
  readonly scale: Tensor;
  /** uint8 [channels, blocks * bits / 8, rounded up], low bits first; absent where all are in the middle. */
  readonly zeroPoint?: Tensor;
}

export interface BlockSides {
  readonly channels: number;
  /** Inputs of each channel. */
  readonly length: number;
  /** Stored [length, channels]. */
  readonly turned: boolean;
}

export interface BlockForm extends BlockShape {
  readonly bits: 2 | 4 | 8;
  /** Whose error it is when the weight holds NaN. */
  readonly id: string;
}

export function inBlocks(weight: Tensor, sides: BlockSides, form: BlockForm): Blocks {
  return sides.turned ? acrossRows(weight, sides, form) : alongRows(weight, sides, form);
}

/** Rows of the stored matrix are channels: run by run, as far as is asked for. */
function alongRows(weight: Tensor, { channels, length }: BlockSides, form: BlockForm): Blocks {
  const blocks = Math.ceil(length / form.size);
  const rowBytes = (blocks * form.size * form.bits) / 8;
  const scales = new Float32Array(channels * blocks);
  const zeros = new Uint8Array(channels * blocks);
  const known = new Uint8Array(channels);
  const step = Math.min(channels, Math.max(1, Math.floor(RUN / length)));

  /** Rows [first, last), their bytes handed to `put`. */
  async function rows(first: number, last: number, put: (row: number, bytes: Uint8Array) => void, signal?: AbortSignal) {
    const memory = borrowBlocks(form, step * length, step * blocks);
    try {
      for await (const run of rowRuns(weight, length, first, last, signal)) {
        const count = run.last - run.first;
        const place = { channels: count, length, channelStride: length, elementStride: 1, blocks, firstBlock: 0 };
        memory.quantize(place, run.values_RC);
        checkFinite(memory.scales.subarray(0, count * blocks), form.id);
        scales.set(memory.scales.subarray(0, count * blocks), run.first * blocks);
        zeros.set(memory.zeros.subarray(0, count * blocks), run.first * blocks);
        known.fill(1, run.first, run.last);
        put(run.first, memory.packed.subarray(0, count * rowBytes));
      }
    } finally {
      memory.giveBack();
    }
  }

  async function complete(signal?: AbortSignal): Promise<void> {
    const first = known.indexOf(0);
    if (first >= 0) await rows(first, known.lastIndexOf(0) + 1, () => undefined, signal);
  }

  const values = computedInto('values', 'uint8', [channels, blocks, rowBytes / blocks], async (into, start, signal) => {
    const end = start + into.length;
    await rows(
      Math.floor(start / rowBytes),
      Math.ceil(end / rowBytes),
      (row, bytes) => {
        const at = row * rowBytes;
        const [from, to] = [Math.max(start, at), Math.min(end, at + bytes.length)];
        into.set(bytes.subarray(from - at, to - at), from - start);
      },
      signal,
    );
  });
  return withScales(madeFrom(weight, values), form, channels, blocks, async signal =>
    complete(signal).then(() => ({ scales, zeros })),
  );
}

type Levels = ReturnType<typeof borrowBlocks>;

/** Columns of the stored matrix are channels: all levels are made at once, and held until they are read. */
function acrossRows(weight: Tensor, { channels, length }: BlockSides, form: BlockForm): Blocks {
  const blocks = Math.ceil(length / form.size);
  const rowBytes = (blocks * form.size * form.bits) / 8;
  const most = Math.min(length, Math.max(form.size, Math.ceil(RUN / channels)));
  /** What is held from the first read of the levels until they have been read to their end and nobody reads. */
  let pending: Promise<Levels> | undefined;
  let [readers, isRead] = [0, false];
  let found: { readonly scales: Float32Array; readonly zeros: Uint8Array } | undefined;

  const compute = async (signal?: AbortSignal): Promise<Levels> => {
    const taken = borrowBlocks(form, most * channels, channels * blocks);
    try {
      for await (const { first, last, values_RC } of rowRuns(weight, channels, 0, length, signal, undefined, form.size)) {
        const place = { channels, length: last - first, channelStride: 1, elementStride: channels, blocks };
        taken.quantize({ ...place, firstBlock: first / form.size }, values_RC);
      }
      const count = channels * blocks;
      checkFinite(taken.scales.subarray(0, count), form.id);
      found = { scales: taken.scales.slice(0, count), zeros: taken.zeros.slice(0, count) };
      return taken;
    } catch (error) {
      taken.giveBack();
      throw error;
    }
  };

  const computedOnce = (signal?: AbortSignal): Promise<Levels> => {
    pending ??= compute(signal).catch(error => {
      pending = undefined;
      throw error;
    });
    return pending;
  };

  const values = computedInto('values', 'uint8', [channels, blocks, rowBytes / blocks], async (into, start, signal) => {
    readers++;
    try {
      const memory = await computedOnce(signal);
      into.set(memory.packed.subarray(start, start + into.length));
      isRead ||= start + into.length === channels * rowBytes;
      if (isRead && readers === 1) {
        memory.giveBack();
        [pending, isRead] = [undefined, false]; // what is asked again is computed again
      }
    } finally {
      readers--;
    }
  });
  return withScales(madeFrom(weight, values), form, channels, blocks, async signal => {
    if (!found) await computedOnce(signal);
    return found!;
  });
}

function withScales(
  values: Tensor,
  { bits, symmetric }: BlockForm,
  channels: number,
  blocks: number,
  found: (signal?: AbortSignal) => Promise<{ readonly scales: Float32Array; readonly zeros: Uint8Array }>,
): Blocks {
  const scale = deferred('scale', 'fp32', [channels, blocks], async signal => (await found(signal)).scales);
  if (symmetric) return { values, scale };
  const shape = [channels, Math.ceil((blocks * bits) / 8)];
  const zeroPoint = deferred('zeroPoint', 'uint8', shape, async signal =>
    packLevels((await found(signal)).zeros, channels, blocks, bits),
  );
  return { values, scale, zeroPoint };
}

function checkFinite(scales: Float32Array, id: string): void {
  for (let i = 0; i < scales.length; i++)
    if (!(scales[i]! < Infinity))
      throw fail(
        'unsupported',
        '{id} holds NaN or infinity and cannot be quantized.',
        { id },
        { hint: sentence('Leave it out with “exclude”.') },
      );
}
