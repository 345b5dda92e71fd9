import { availableParallelism } from 'node:os';
import { matrixProducts, type Products } from '../calibration/products.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import type { Product32 } from '../kernels/linear-algebra/product32.ts';
import { encode } from './calibrate.ts';
import { newGraphModel } from './new-graph-model.ts';

/** Products by onnxruntime for one piece of work, which closes them. */
export interface OpenProducts {
  /** Opened when first asked for; undefined where onnxruntime is not installed. */
  readonly product: () => Promise<Product32 | undefined>;
  close(): Promise<void>;
}

export function openProducts(threads = Math.min(4, availableParallelism())): OpenProducts {
  let opened: Promise<Products | undefined> | undefined;
  return {
    async product() {
      opened ??= onnxRuntime().then(
        runtime => matrixProducts(runtime, threads, async graph => encode(await newGraphModel(graph))),
        () => undefined,
      );
      return (await opened)?.multiply;
    },
    async close() {
      await (await opened)?.close();
    },
  };
}
