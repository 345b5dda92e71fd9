import { sentence } from '../../errors.ts';
import type { Scheme } from './scheme.ts';
import { planSixteen } from './sixteen.ts';

export const fp16: Scheme = {
  id: 'fp16',
  hint: sentence('16 bits throughout: half the size, the same answers; faster on graphics cards, not on processors.'),
  options: [],
  embeddingBits: [],
  source: 'IEEE 754 binary16; operators kept in 32 bits: onnxruntime, transformers/float16.py, and norms that are written out',
  plan: (anatomy, options, context) => planSixteen('fp16', anatomy, options, context),
};
