import { availableParallelism } from 'node:os';
import { throwIfCancelled } from '../errors.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import { attentionMaps } from '../evaluation/probe/attention-maps.ts';
import { type AttentionSource, attentionSource } from '../evaluation/probe/attention-source.ts';
import type { AttentionMaps } from '../evaluation/report.ts';
import { openProbe } from './probe.ts';
import { subjectOf } from './subject.ts';
import type { AttentionRequest, SessionOptions } from './types.ts';

/**
 * Runs one text and gives the attention of every head of a layer. A checkpoint of weights is exported to a temporary file for it.
 * throws  'usage' for a layer that is not there, 'unsupported' for attention that cannot be shown
 */
export async function attention(
  path: string,
  { text, layer }: AttentionRequest,
  { signal }: SessionOptions = {},
): Promise<AttentionMaps> {
  const subject = await subjectOf(path, signal);
  try {
    let source: AttentionSource | undefined;
    const probe = await openProbe(
      subject,
      ({ model, anatomy, taps }) => {
        const made = attentionSource(model, anatomy, taps, layer);
        source = made.source;
        return made.model;
      },
      signal,
    );
    try {
      throwIfCancelled(signal);
      const threads = Math.min(4, availableParallelism());
      return await attentionMaps(probe.subject, source!, { text, layer }, await onnxRuntime(), threads);
    } finally {
      await probe.close();
    }
  } finally {
    await subject.close();
  }
}
