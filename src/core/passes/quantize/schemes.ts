import { bf16 } from './bf16.ts';
import { fp8 } from './fp8.ts';
import { fp16 } from './fp16.ts';
import { int4 } from './int4.ts';
import { int8 } from './int8.ts';
import { int8Dynamic } from './int8-dynamic.ts';
import { int8Static } from './int8-static.ts';
import { int8Weights } from './int8-weights.ts';
import { mixed } from './mixed.ts';
import { q8bert } from './q8bert.ts';
import type { Scheme } from './scheme.ts';

/** The default first. */
export const schemes: readonly Scheme[] = [int8, int8Dynamic, int8Static, int8Weights, int4, mixed, q8bert, fp8, fp16, bf16];
