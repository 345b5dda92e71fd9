import { kernelsBase64 } from './built.ts';

/** Left to the compiler's own data: what the kernels work on begins here. */
export const STATIC = 64 * 1024;

/** What this file needs of the global: the compiler knows it only with the DOM. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** Few of them answer. */
export type Exports = Readonly<Record<string, (...args: number[]) => unknown>>;

let compiled: object | undefined;

/**
 * The SIMD kernels with a memory of their own that never grows: STATIC and then so many bytes, zeros at first. The system gives it pages as they are written.
 * undefined where there is no WebAssembly, or none with SIMD, or it was not built.
 */
export function openInstance(byteLength: number): { readonly call: Exports; readonly buffer: ArrayBuffer } | undefined {
  if (kernelsBase64 === '' || typeof WebAssembly === 'undefined') return undefined;
  try {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelsBase64, 'base64'));
    const pages = Math.ceil((STATIC + byteLength) / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const abort = (): never => {
      throw new Error('a kernel stopped');
    };
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory, abort } });
    return { call: exports as Exports, buffer: memory.buffer };
  } catch {
    return undefined;
  }
}
