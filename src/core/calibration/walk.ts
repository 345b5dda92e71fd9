import { fail } from '../errors.ts';
import type { Values } from '../evaluation/runtime.ts';
import { type TextBatch, textBatches } from './batches.ts';
import type { Half, Observed, Stream, Tap, Walk } from './calibration.ts';
import { loadPiece, type Piece } from './runner.ts';
import type { CalibrationSource, GraphBody } from './source.ts';
import { earlierWay, ownWay, type Way } from './way.ts';

/** Hidden states of a stream, a batch each. */
type Hidden = readonly Values[];

/** A half of one body, cut out and loaded: what it is fed, and where what was asked for comes out. */
interface Cut {
  readonly piece: Piece;
  readonly input: string;
  readonly values: ReadonlyMap<Tap, string>;
  /** What leaves the half, fetched though it was not asked for. */
  readonly leaving?: string;
}

/** A stream's graph without edits, and the way through it. */
interface Bed {
  readonly body: GraphBody;
  readonly way: Way;
}

/** Starts at the embeddings. throws 'unsupported' where the graph does not show its hidden states */
export async function startWalk<E>(
  source: CalibrationSource<E>,
  edits: readonly E[] = [],
  texts?: number,
  towards: 'itself' | 'source' = 'itself',
): Promise<Walk<E>> {
  const batches = textBatches(source, texts);
  const body = await source.edited([]);
  const current: Bed = { body, way: ownWay(body) };
  const aim = towards === 'source' ? await source.aim?.() : undefined;
  const original: Bed = aim ? { body: aim.body, way: earlierWay(aim, body.anatomy.layers) } : current;
  const before = await embedded(source, original, batches);
  if (!aim && edits.length === 0)
    return new LayerWalk(source, { original, current }, batches, { original: before, current: before });
  const changed = edits.length === 0 ? body : await source.edited(edits);
  const now = await embedded(source, { body: changed, way: ownWay(changed) }, batches);
  return new LayerWalk(source, { original, current }, batches, { original: before, current: now });
}

async function embedded<E>(source: CalibrationSource<E>, { body, way }: Bed, batches: readonly TextBatch[]): Promise<Hidden> {
  const { embeddings } = way;
  if (embeddings === undefined) throw noHidden(source.name, 'embeddings');
  const piece = await loadPiece(source, body, [], [embeddings]);
  try {
    const hidden: Values[] = [];
    for (const batch of batches) hidden.push((await piece.run(batch.feeds, new Map())).get(embeddings)!);
    return hidden;
  } finally {
    await piece.close();
  }
}

class LayerWalk<E> implements Walk<E> {
  readonly #at: Record<Stream, Half | undefined> = {
    original: { layer: 0, part: 'attention' },
    current: { layer: 0, part: 'attention' },
  };
  readonly #source: CalibrationSource<E>;
  readonly #beds: Readonly<Record<Stream, Bed>>;
  readonly #batches: readonly TextBatch[];
  readonly #hidden: Record<Stream, Hidden>;
  /** What leaves the original's half, where an observation has seen all of it: that need not run again. */
  #seen: Values[] = [];

  constructor(
    source: CalibrationSource<E>,
    beds: Readonly<Record<Stream, Bed>>,
    batches: readonly TextBatch[],
    hidden: Readonly<Record<Stream, Hidden>>,
  ) {
    this.#source = source;
    this.#beds = beds;
    this.#batches = batches;
    this.#hidden = { ...hidden };
  }

  get at(): Half | undefined {
    return this.#at.current;
  }

  get atOriginal(): Half | undefined {
    return this.#at.original;
  }

  get isFromSource(): boolean {
    return this.#beds.original !== this.#beds.current;
  }

  shows(tap: Tap, stream: Stream = 'current'): boolean {
    return this.#beds[stream].way.tap(tap, this.#half(stream)) !== undefined;
  }

  async observe(
    stream: Stream,
    taps: readonly Tap[],
    edits: readonly E[],
    each: (batch: Observed) => void | Promise<void>,
  ): Promise<void> {
    const cut = await this.#cut(stream, edits, taps);
    try {
      for (let batch = 0; batch < this.#batches.length; batch++) await each(await this.#run(cut, stream, batch));
    } finally {
      await cut.piece.close();
    }
  }

  async observeBoth(
    taps: readonly Tap[] | Readonly<Record<Stream, readonly Tap[]>>,
    edits: readonly E[],
    each: (original: Observed, current: Observed) => void | Promise<void>,
  ): Promise<void> {
    const of = (stream: Stream) => ('original' in taps ? taps[stream] : taps);
    const original = await this.#cut('original', [], of('original'));
    try {
      const current = await this.#cut('current', edits, of('current'));
      try {
        for (let batch = 0; batch < this.#batches.length; batch++)
          await each(await this.#run(original, 'original', batch), await this.#run(current, 'current', batch));
      } finally {
        await current.piece.close();
      }
    } finally {
      await original.piece.close();
    }
  }

  async advance(edits: readonly E[]): Promise<void> {
    const { original, current } = this.#at;
    const isSame = original?.layer === current?.layer && original?.part === current?.part;
    if (isSame && edits.length === 0 && this.#hidden.current === this.#hidden.original) {
      await this.move('original');
      this.#hidden.current = this.#hidden.original;
      this.skip('current');
    } else {
      await this.move('original');
      await this.move('current', edits);
    }
  }

  async move(stream: Stream, edits: readonly E[] = []): Promise<void> {
    const isSeen = stream === 'original' && this.#seen.length === this.#batches.length;
    this.#hidden[stream] = isSeen ? this.#seen : await this.#pass(stream, edits);
    this.skip(stream);
  }

  skip(stream: Stream): void {
    const { layer, part } = this.#half(stream);
    if (stream === 'original') this.#seen = [];
    const layers = this.#beds.current.body.anatomy.layers.length;
    if (part === 'attention') this.#at[stream] = { layer, part: 'feed-forward' };
    else this.#at[stream] = layer + 1 < layers ? { layer: layer + 1, part: 'attention' } : undefined;
  }

  async #pass(stream: Stream, edits: readonly E[]): Promise<Hidden> {
    const cut = await this.#cut(stream, edits, ['output']);
    try {
      const hidden: Values[] = [];
      for (let batch = 0; batch < this.#batches.length; batch++)
        hidden.push((await this.#raw(cut, stream, batch)).get(cut.values.get('output')!)!);
      return hidden;
    } finally {
      await cut.piece.close();
    }
  }

  #half(stream: Stream): Half {
    const at = this.#at[stream];
    if (!at) throw new RangeError('the walk stands behind the last layer');
    return at;
  }

  async #cut(stream: Stream, edits: readonly E[], taps: readonly Tap[]): Promise<Cut> {
    const half = this.#half(stream);
    const { body, way } = stream === 'original' || edits.length === 0 ? this.#beds[stream] : await this.#changed(edits);
    const [input, output] = [way.enters(half), way.leaves(half)];
    if (input === undefined || output === undefined) throw noHidden(this.#source.name, `encoder.layer.${half.layer}`);
    const values = new Map<Tap, string>();
    for (const tap of taps) {
      const value = way.tap(tap, half);
      if (value === undefined) throw new RangeError(`the graph does not show ${tap}`);
      values.set(tap, value);
    }
    const from = { name: input, dtype: 'fp32' as const };
    const leaving = stream === 'original' ? [output] : [];
    const piece = await loadPiece(
      this.#source,
      body,
      [from],
      [...values.values(), ...leaving].filter(name => name !== input),
    );
    return { piece, input, values, ...(stream === 'original' && { leaving: output }) };
  }

  async #changed(edits: readonly E[]): Promise<Bed> {
    const body = await this.#source.edited(edits);
    return { body, way: ownWay(body) };
  }

  #raw({ piece, input }: Cut, stream: Stream, batch: number): ReturnType<Piece['run']> {
    const { data, shape } = this.#hidden[stream][batch]!;
    return piece.run(this.#batches[batch]!.feeds, new Map([[input, { floats: data, shape }]]));
  }

  async #run(cut: Cut, stream: Stream, batch: number): Promise<Observed> {
    const results = new Map(await this.#raw(cut, stream, batch));
    results.set(cut.input, this.#hidden[stream][batch]!);
    if (cut.leaving !== undefined) this.#seen[batch] = results.get(cut.leaving)!;
    const { places, length } = this.#batches[batch]!;
    return {
      tokens: places.length * length,
      get(tap) {
        const value = cut.values.get(tap);
        if (value === undefined) throw new RangeError(`the tap ${tap} was not asked for`);
        return results.get(value)!.data;
      },
    };
  }
}

const noHidden = (file: string, organ: string) =>
  fail(
    'unsupported',
    'The graph does not show what enters and leaves “{organ}”, so its activations cannot be looked at.',
    { organ },
    { file },
  );
