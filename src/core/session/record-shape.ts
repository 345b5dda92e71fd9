import type { KeptRecord } from './types.ts';

// A record is a file that anyone may have written: what is shown of it must have the shape that the pages expect.

type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | readonly ['maybe', Shape]
  | readonly ['list', Shape]
  | { readonly [key: string]: Shape }
  | 'any';

const maybe = (shape: Shape) => ['maybe', shape] as const;
const list = (shape: Shape) => ['list', shape] as const;
const number = 'number' as const;
const string = 'string' as const;

const sizes = { parameters: number, byteLength: number, fileBytes: number };
const sentence = { text: string, args: maybe('any') };
const measured = {
  file: string,
  metrics: list({ name: string, value: maybe(number), count: number }),
  latency: { medianMs: number, p90Ms: number, threads: number, batch: number, length: number, runs: number },
  loadMs: number,
  fileBytes: number,
  cut: number,
  nonFinite: number,
  tokenizer: string,
};
const drift = {
  cosineMean: maybe(number),
  cosineMin: maybe(number),
  maxAbs: maybe(number),
  agreement: maybe(number),
  kl: maybe(number),
  count: number,
};
const layer = { id: string, against: string, measure: string, mean: maybe(number), min: maybe(number), count: number };
const evaluation = {
  ...measured,
  task: string,
  drift: maybe(drift),
  peakBytes: number,
  threads: number,
  batch: number,
  runtime: string,
  seconds: number,
  against: maybe(measured),
  worst: list({ text: string, cosine: maybe(number), before: maybe(number), after: maybe(number) }),
  layers: maybe(list(layer)),
  firstNonFinite: maybe({ id: string, value: string, text: string }),
  notes: list(sentence),
};
const made = {
  recipe: { steps: list({ pass: string, options: 'any' }) },
  report: {
    out: string,
    before: sizes,
    after: sizes,
    edits: list({ kind: string, target: string, before: string, after: string }),
    skipped: list({ target: string, reason: string, sentence }),
    seconds: number,
    peakBytes: number,
  },
  command: string,
};
const record = {
  version: number,
  headroom: string,
  model: { name: string, byteLength: number, fingerprint: string },
  made: maybe(made),
  evaluations: list({ evaluation, against: maybe(string), texts: string, at: string }),
} satisfies Shape;

/** Whether a value parsed from JSON is a record that this version can show. */
export const isRecord = (value: unknown): value is KeptRecord => fits(value, record) && (value as KeptRecord).version === 1;

function fits(value: unknown, shape: Shape): boolean {
  if (shape === 'any') return value === undefined || typeof value === 'object';
  if (shape === 'number') return typeof value === 'number';
  if (typeof shape === 'string') return typeof value === shape;
  if (Symbol.iterator in shape) {
    const [kind, inner] = shape as readonly ['maybe' | 'list', Shape];
    if (kind === 'maybe') return value === null || value === undefined || fits(value, inner);
    return Array.isArray(value) && value.every(each => fits(each, inner));
  }
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(shape).every(([key, inner]) => fits((value as Record<string, unknown>)[key], inner));
}
