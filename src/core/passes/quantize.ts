import { fail, sentence } from '../errors.ts';
import { definePass, type Field } from './pass.ts';
import type { QuantizeOptions, Scheme } from './quantize/scheme.ts';
import { schemes } from './quantize/schemes.ts';
import { whichFields } from './which-fields.ts';

/** An option is shown, and may be set, with the schemes that read it. */
const readBy = (option: Scheme['options'][number]) => ({
  when: { scheme: schemes.filter(({ options }) => options.includes(option)).map(({ id }) => id) },
});

/** Only options that some scheme reads exist for people. */
const isRead = (option: string): boolean =>
  option === 'scheme' ||
  option === 'include' ||
  option === 'exclude' ||
  schemes.some(({ options }) => (options as readonly string[]).includes(option));

const fields = {
  scheme: {
    kind: 'choice',
    label: sentence('Scheme'),
    help: sentence('How matrices are stored and multiplied.'),
    default: 'int8',
    choices: schemes.map(({ id, hint }) => ({ value: id, hint })),
  },
  per_channel: {
    kind: 'flag',
    label: sentence('A scale for each output channel'),
    help: sentence('Off: one scale for a whole matrix, which loses more.'),
    default: true,
    ...readBy('per_channel'),
  },
  bits: {
    kind: 'by-layer',
    label: sentence('Bits'),
    help: sentence('Of each weight: one number for all layers, or one for each.'),
    default: 4,
    min: 2,
    max: 8,
    ...readBy('bits'),
  },
  budget: {
    kind: 'number',
    label: sentence('Size to reach'),
    help: sentence(
      'Megabytes of the file: bits are chosen for each layer by what it costs on the text, 4 or 8 for embeddings, and weights are rounded by GPTQ. Empty: as given.',
    ),
    default: null,
    min: 0.01,
    max: 100_000,
    ...readBy('budget'),
  },
  block_size: {
    kind: 'number',
    label: sentence('Block size'),
    help: sentence('Weights of a row that share a scale. Smaller: closer to the original, and larger on disk.'),
    default: 64,
    min: 16,
    max: 256,
    values: [16, 32, 64, 128, 256],
    ...readBy('block_size'),
  },
  symmetric: {
    kind: 'flag',
    label: sentence('Symmetric'),
    help: sentence('No zero points: a little smaller, a little further from the original.'),
    default: false,
    ...readBy('symmetric'),
  },
  embedding_bits: {
    kind: 'number',
    label: sentence('Bits of embeddings'),
    help: sentence('32 leaves the embedding tables as they are.'),
    default: 8,
    min: 2,
    max: 32,
    values: [...new Set(schemes.flatMap(({ embeddingBits }) => embeddingBits))].sort((a, b) => a - b),
    ...readBy('embedding_bits'),
  },
  rounding: {
    kind: 'choice',
    label: sentence('Rounding'),
    help: sentence('How a weight finds its level.'),
    default: 'nearest',
    choices: [
      { value: 'nearest', hint: sentence('Each weight by itself; scales are searched for the smallest error.') },
      { value: 'gptq', hint: sentence('Weights make up for each other’s errors on calibration text: much closer below 8 bits.') },
    ],
    ...readBy('rounding'),
  },
  smooth: {
    kind: 'number',
    label: sentence('Smoothing'),
    help: sentence('How much of the spread of activations moves into the weights, 0 to 1. Empty: what the scheme does best.'),
    default: null,
    min: 0,
    max: 1,
    ...readBy('smooth'),
  },
  activation_bits: {
    kind: 'number',
    label: sentence('Bits of activations'),
    help: sentence('8 is closer to the original; 7 is safe on every processor.'),
    default: 7,
    min: 7,
    max: 8,
    step: 1,
    ...readBy('activation_bits'),
  },
  operators: {
    kind: 'choice',
    label: sentence('Operators'),
    help: sentence('What the graph may use.'),
    default: 'contrib',
    choices: [
      { value: 'contrib', hint: sentence('onnxruntime’s own operators too, which are faster.') },
      { value: 'standard', hint: sentence('Standard ONNX only, for other runtimes.') },
    ],
    ...readBy('operators'),
  },
  ranges: {
    kind: 'choice',
    label: sentence('Ranges'),
    help: sentence('How the range of an activation is chosen from calibration text.'),
    default: 'min-max',
    choices: [
      { value: 'min-max', hint: sentence('All of it.') },
      { value: 'percentile', hint: sentence('Without the outermost values.') },
      { value: 'entropy', hint: sentence('The range whose histogram loses the least information.') },
      { value: 'mse', hint: sentence('The range with the smallest squared error.') },
    ],
    ...readBy('ranges'),
  },
  ...whichFields,
} as const satisfies Record<keyof QuantizeOptions, Field>;

/** Each scheme, and the defaults of all else. */
const standard = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]));

export const quantize = definePass({
  id: 'quantize',
  title: sentence('Quantize'),
  summary: sentence('Store the big matrices with fewer bits, and multiply with them where a runtime can.'),
  source: schemes.map(({ id, source }) => `${id}: ${source}`).join('; '),
  needs: ['weights'],
  fields: Object.fromEntries(Object.entries(fields).filter(([name]) => isRead(name))) as Record<string, Field>,
  async plan(anatomy, given, context) {
    const options = { ...standard, ...given } as unknown as QuantizeOptions;
    const scheme = schemes.find(({ id }) => id === options.scheme)!;
    const { embeddingBits } = scheme;
    if (scheme.options.includes('embedding_bits') && !embeddingBits.includes(options.embedding_bits))
      throw fail('bad-recipe', 'embedding_bits is {found}. With {scheme} it must be one of {allowed}.', {
        found: options.embedding_bits,
        scheme: scheme.id,
        allowed: embeddingBits.join(', '),
      });
    return scheme.plan(anatomy, options, context);
  },
});
