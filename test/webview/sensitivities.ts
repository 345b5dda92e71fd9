import { sentence } from '../../src/core/errors.ts';
import type { Sensitivity, SensitivityRow, Step } from '../../src/protocol/messages.ts';

// What the session says a made model's parts cost: 6 layers of 6 matrices, the later ones and the feed-forward ones more.

const organs = [
  'attention.self.query',
  'attention.self.key',
  'attention.self.value',
  'attention.output.dense',
  'intermediate.dense',
  'output.dense',
];

const part = (id: string, organ: string, over: Partial<SensitivityRow>): SensitivityRow => ({
  id,
  organ,
  title: id,
  globs: [id],
  parameters: 147_840,
  bytesBefore: 591_360,
  bytesAfter: 85_632,
  drift: 0.001,
  ...over,
});

const reason = sentence('Too small to gain: it would save {saved} bytes of the file.', { saved: 1896 });
const tables: readonly SensitivityRow[] = [
  part('embeddings.word_embeddings', 'embeddings', { drift: 1.2e-5, bytesBefore: 46_881_792, bytesAfter: 11_842_540 }),
  part('embeddings.position_embeddings', 'embeddings', { drift: 1.1e-5 }),
  part('embeddings.token_type_embeddings', 'embeddings', {
    ...{ drift: null, bytesBefore: 3072, bytesAfter: 3072 },
    skipped: { reason: 'Too small to gain.', sentence: reason },
  }),
];

const matrices: readonly SensitivityRow[] = [0, 1, 2, 3, 4, 5].flatMap(layer =>
  organs.map((organ, at) =>
    part(`encoder.layer.${layer}.${organ}`, organ, { layer, drift: 2e-5 * 1.7 ** layer * [1, 2, 8, 3, 16, 9][at]! }),
  ),
);

const layers: readonly SensitivityRow[] = [0, 1, 2, 3, 4, 5].map(layer =>
  part(`encoder.layer.${layer}`, 'layer', { layer, drift: 0.001 * 1.7 ** layer }),
);

export const stepOf = (options: Readonly<Record<string, unknown>> = {}): Step => ({ pass: 'quantize', options });

export const sensitivityOf = (parts: 'layers' | 'matrices', step = stepOf()): Sensitivity => ({
  version: 1,
  step,
  parts,
  texts: 64,
  rows:
    parts === 'matrices'
      ? [...tables, ...matrices]
      : [part('embeddings', 'embeddings', { drift: 2.3e-5 }), ...layers, part('pooler.dense', 'other', {})],
  all: { drift: 0.0285, bytesBefore: 90_266_769, bytesAfter: 18_227_325 },
  notes: [],
  seconds: 9.7,
});
