import type { AttentionMaps, Evaluation, Measurement } from '../../src/protocol/messages.ts';

// Measurements for tests: numbers of the size that an int8 model of six layers gives.

const latency = { medianMs: 7.2, p90Ms: 7.9, threads: 2, batch: 1, length: 128, runs: 30 };
const side = { file: 'model.onnx', loadMs: 62, fileBytes: 90.9e6, cut: 0, nonFinite: 0, tokenizer: 'tokenizer.json' as const };

export const evaluation: Evaluation = {
  ...side,
  version: 1,
  file: 'model.int8.onnx',
  task: 'Headroom’s own sentences, English',
  metrics: [],
  latency,
  drift: { cosineMean: 0.98765, cosineMin: 0.9432, maxAbs: 0.21, agreement: 0.9996, kl: 0.001, count: 64 },
  peakBytes: 312e6,
  threads: 2,
  batch: 32,
  runtime: 'onnxruntime-node 1.30.0',
  seconds: 2.1,
  against: { ...side, metrics: [], latency: { ...latency, medianMs: 10.4 }, loadMs: 140 },
  worst: [
    { text: 'The path is steep and stony, so wear proper shoes.', cosine: 0.9432, before: 0, after: 1 },
    {
      text: '\u202e<b>Prices</b> for olive oil have risen by a third since last autumn, and nobody knows why.',
      cosine: 0.951,
      before: 1,
      after: 1,
    },
  ],
  layers: ['embeddings', ...Array.from({ length: 6 }, (_, index) => `encoder.layer.${index}`)].map((id, index) => ({
    id,
    against: id,
    measure: 'cosine' as const,
    mean: 1 - index * 0.002,
    min: 1 - index * 0.009,
    count: 64,
  })),
  notes: [{ text: '{count} empty lines were left out.', args: { count: 2 } }],
};

const kept = { evaluation, against: 'model.onnx', texts: 'a'.repeat(64), at: '2026-11-23T22:05:00.000Z' };

export const done: Measurement = { state: 'done', kept, changed: false };

export const measurements: Readonly<Record<string, Measurement>> = {
  none: { state: 'none' },
  untrusted: { state: 'none', why: { text: 'A model is run only in a folder that is trusted.' } },
  running: { state: 'running', title: evaluation.task, progress: { fraction: 0.42, what: 'model.int8.onnx' } },
  cancelled: { state: 'cancelled' },
  failed: {
    state: 'failed',
    failure: {
      code: 'engine-stopped',
      message: 'model.int8.onnx: The worker stopped while it ran this model.',
      file: 'model.int8.onnx',
      sentence: { text: 'The worker stopped while it ran this model. VS Code and the files are not affected.' },
    },
  },
  done,
  changed: { ...done, changed: true } as Measurement,
};

/** A sentence whose heads look at the token before, as far as there is one; head 1 looks at the first token. */
export function attentionMaps(tokens: readonly string[], layer: number, heads: readonly number[]): AttentionMaps {
  const length = tokens.length;
  const maps = heads.map(head => {
    const weights_TT = Array.from({ length: length * length }, (_, at) => {
      const [from, to] = [Math.floor(at / length), at % length];
      const sought = head % 2 === 0 ? Math.max(0, from - 1) : 0;
      return length === 1 ? 1 : to === sought ? 0.8 : 0.2 / (length - 1);
    });
    return { head, weights_TT };
  });
  return { layer, tokens, heads: maps };
}
