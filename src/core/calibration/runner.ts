import { throwIfCancelled } from '../errors.ts';
import type { Feed, FloatFeed, Runner, Values } from '../evaluation/runtime.ts';
import type { ValueInfo } from '../model/graph.ts';
import { slice } from '../model/slice.ts';
import type { CalibrationSource, GraphBody } from './source.ts';

/** A piece of a model that is loaded. */
export interface Piece {
  run(fed: ReadonlyMap<string, Feed>, floats: ReadonlyMap<string, FloatFeed>): Promise<ReadonlyMap<string, Values>>;
  close(): Promise<void>;
}

/** Cuts `to` out of a model and loads it. `from` are values fed as numbers; the model's own inputs are fed as far as they are read. */
export async function loadPiece<E>(
  source: CalibrationSource<E>,
  { model }: GraphBody,
  from: readonly ValueInfo[],
  to: readonly string[],
): Promise<Piece> {
  throwIfCancelled(source.signal);
  const wanted = [...new Set(to)];
  // What is fed is known already.
  if (wanted.length === 0) return { run: async () => new Map(), close: async () => undefined };
  const part = slice(model, { from, to: wanted });
  const runner: Runner = await source.runtime.loadBytes(await source.encode(part), source.name, source.threads);
  const names = new Set(runner.inputs.map(({ name }) => name));
  return {
    async run(fed, floats) {
      throwIfCancelled(source.signal);
      const feeds = new Map<string, Feed | FloatFeed>();
      for (const [name, feed] of [...fed, ...floats]) if (names.has(name)) feeds.set(name, feed);
      return runner.run(feeds, wanted);
    },
    close: () => runner.close(),
  };
}
