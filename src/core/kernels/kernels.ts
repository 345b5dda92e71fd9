import { plain } from './plain.ts';
import type { Kernels } from './signatures.ts';
import { simd } from './simd.ts';

export type { Bytes8, Kernels } from './signatures.ts';
export { ERROR_BLOCK } from './signatures.ts';

/** SIMD WebAssembly, or plain TypeScript where it is not to be had: the same bits. */
export const kernels: Kernels = simd ?? plain;
