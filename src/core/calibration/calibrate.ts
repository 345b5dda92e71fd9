import type { Calibration } from './calibration.ts';
import { momentsOf } from './moments.ts';
import { matrixProducts } from './products.ts';
import type { CalibrationSource } from './source.ts';
import { startWalk } from './walk.ts';
import { gatedModel, vectorsOf } from './whole.ts';

/** A model on texts. `close` lets go of what the runtime holds. */
export async function calibrate<E>(source: CalibrationSource<E>): Promise<Calibration<E> & { close(): Promise<void> }> {
  const { runtime, threads, encodings } = source;
  const products = matrixProducts(runtime, threads, graph => source.encodeGraph(graph));
  return {
    texts: encodings.length,
    tokens: encodings.reduce((sum, { ids }) => sum + ids.length, 0),
    ids: encodings.map(({ ids }) => ids),
    walk: (edits, texts, towards) => startWalk(source, edits, texts, towards),
    moments: (d, e) => momentsOf((a, b, n, to, from) => products.multiply(a, b, to, from, n, 'a'), d, e),
    vectors: (edits, texts, first) => vectorsOf(source, edits, texts, first),
    gated: (linears, texts) => gatedModel(source, linears, texts),
    close: () => products.close(),
  };
}
