import { type Anatomy, type Layer, type Linear, linearsIn, type Norm } from '../../anatomy/anatomy.ts';
import type { Calibration, Moments, Stream, Tap, Walk } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import { products } from '../../kernels/linear-algebra/product.ts';
import type { Edit, PassContext, ReplaceEdit } from '../pass.ts';
import { like, matrixOf, storedAs, vectorOf } from './matrix-of.ts';
import { fitNorm } from './norm-fit.ts';
import { ridge } from './ridge.ts';
import { sharedMoments } from './shared-moments.ts';

// Layer after layer, from the embeddings up, on the hidden states of the model as it is by then:
//
//     query, key, value, up   first refitted so that they give on the inputs of now what they gave on those of before
//     output, down            first refitted so that residual stream and branch together give what they gave before
//     all of them             compressed, with the second moments of what they read; the bias takes what that does to the mean
//     norms                   gain and offset refitted by channel

/** How far a refit may leave the matrix as it was, as a share of the mean variance of its inputs. */
const STRENGTH = 0.01;

/**
 * Makes a matrix cheaper: other numbers [out, in] in the place of `weight_OI`, which it leaves as it is.
 * second_II  second moments of the inputs: about their mean where the bias makes up for it, else about zero
 */
export type Compress = (
  linear: Linear,
  weight_OI: Float32Array,
  second_II: Float64Array,
  pause: () => Promise<void>,
) => Promise<Float32Array>;

export interface LayerByLayer {
  readonly calibration: Calibration<Edit>;
  readonly anatomy: Anatomy;
  /** The stored matrices to compress: others stay. */
  readonly chosen: ReadonlySet<Linear>;
  readonly compress: Compress;
  /** Refit what is around, or compress only. */
  readonly refits: boolean;
  readonly context: Pick<PassContext, 'signal' | 'progress'>;
}

/** Compresses the chosen matrices of layers. Memory: the second moments of one half of a layer at a time, and the results. */
export async function layerByLayer(run: LayerByLayer): Promise<readonly ReplaceEdit[]> {
  const { calibration, anatomy, context } = run;
  const shared = await sharedMoments(calibration, anatomy, linear => run.chosen.has(linear), context.signal);
  const walk = await calibration.walk([], undefined, 'source');
  const found: ReplaceEdit[] = [];
  const made = new Map<string, readonly ReplaceEdit[]>();
  for (let done = 0; walk.at; done++) {
    const { layer: index, part } = walk.at;
    const layer = anatomy.layers[index]!;
    context.progress?.(done / (2 * anatomy.layers.length), `encoder.layer.${index}`);
    const key = `${layer.stored} ${part}`;
    let edits = made.get(key);
    if (!edits) {
      const half = new Half(run, walk, layer, shared);
      edits = part === 'attention' ? await half.attention() : await half.feedForward();
      made.set(key, edits);
      found.push(...edits);
    }
    await walk.advance(edits);
  }
  return found;
}

/** Moments of what linears read now, and of what decides what they should give. */
interface Group {
  readonly linears: readonly Linear[];
  readonly moments: Moments;
  /** What one of them should give: its moments with the inputs of now [in, out], and its mean. */
  wanted(linear: Linear, weight_OI: Float32Array): Promise<Wanted>;
}

interface Wanted {
  readonly cross_IO: Float64Array;
  readonly mean_O: Float64Array;
}

class Half {
  private readonly run: LayerByLayer;
  private readonly walk: Walk<Edit>;
  private readonly layer: Layer;
  /** What weights that serve several layers read in all of them; around these nothing is refitted. */
  private readonly shared: ReadonlyMap<Linear, Moments>;
  private readonly refits: boolean;
  private readonly edits: ReplaceEdit[] = [];

  constructor(run: LayerByLayer, walk: Walk<Edit>, layer: Layer, shared: ReadonlyMap<Linear, Moments>) {
    this.run = run;
    this.walk = walk;
    this.layer = layer;
    this.shared = shared;
    this.refits = run.refits && run.anatomy.layers.every(other => other === layer || other.stored !== layer.stored);
  }

  async attention(): Promise<readonly ReplaceEdit[]> {
    const { query, key, value, output, attentionNorm } = this.layer;
    await this.first([query, key, value]);
    await this.second(output);
    await this.norm(attentionNorm);
    return this.edits;
  }

  async feedForward(): Promise<readonly ReplaceEdit[]> {
    const { up, gate, down, outputNorm } = this.layer;
    await this.first(gate ? [up, gate] : [up]);
    await this.second(down);
    await this.norm(outputNorm);
    return this.edits;
  }

  /** What reads the residual stream: it should give what it gave. */
  private async first(linears: readonly Linear[]): Promise<void> {
    const stored = new Set(linearsIn(this.layer));
    const chosen = [...new Set(linears.map(linear => linear.within ?? linear))].filter(
      linear => stored.has(linear) && this.run.chosen.has(linear),
    );
    if (chosen.length === 0) return;
    const taps = chosen.map(({ id }): Tap => `${id}:in`);
    const groups = new Map<Float32Array | undefined, Linear[]>();
    let moments: Moments[] | undefined;
    await this.walk.observeBoth(taps, this.edits, async (original, current) => {
      const inputs = chosen.map(({ id }) => current.get(`${id}:in`));
      if (!moments) {
        for (const [i, linear] of chosen.entries()) groups.set(inputs[i], [...(groups.get(inputs[i]) ?? []), linear]);
        moments = [...groups.values()].map(([linear]) => this.run.calibration.moments(linear!.in, linear!.in));
      }
      for (const [i, [linear]] of [...groups.values()].entries())
        await moments[i]!.add(current.get(`${linear!.id}:in`), original.get(`${linear!.id}:in`));
    });
    for (const [i, linears] of [...groups.values()].entries())
      await this.compress({ linears, moments: moments![i]!, wanted: (linear, own) => this.given(moments![i]!, linear, own) });
  }

  /** What a linear gave on the inputs of before, from the moments of inputs of now with those. */
  private async given(moments: Moments, linear: Linear, weight_OI: Float32Array): Promise<Wanted> {
    const { out, in: wide, bias } = linear;
    const rows = (values: Float32Array | Float64Array, count: number) => ({
      values,
      count,
      vectorStride: wide,
      elementStride: 1,
    });
    const into = new Float64Array(wide * out);
    const cross_IO = await products(rows(moments.covarianceXY(), wide), rows(weight_OI, out), wide, into, this.pause);
    const mean_I = moments.meanY();
    const offset = bias ? await vectorOf(bias, this.run.context.signal) : new Float32Array(out);
    return { cross_IO, mean_O: Float64Array.from(offset, (value, o) => value + dot(weight_OI, o, mean_I)) };
  }

  /** What writes to the residual stream: both together should give what they gave. */
  private async second(linear: Linear): Promise<void> {
    if (linear.within || !this.run.chosen.has(linear)) return;
    const moments = this.run.calibration.moments(linear.in, linear.out);
    const taps: Record<Stream, readonly Tap[]> = {
      original: ['input', `${linear.id}:out`],
      current: ['input', `${linear.id}:in`],
    };
    await this.walk.observeBoth(taps, this.edits, async (original, current) => {
      const wanted = Float32Array.from(original.get(`${linear.id}:out`));
      const [was, is] = [original.get('input'), current.get('input')];
      // A layer with bottlenecks adds its branches in a narrower space.
      if (was.length === wanted.length) for (let i = 0; i < wanted.length; i++) wanted[i]! += was[i]! - is[i]!;
      await moments.add(current.get(`${linear.id}:in`), wanted);
    });
    const wanted = async () => ({ cross_IO: moments.covarianceXY(), mean_O: moments.meanY() });
    await this.compress({ linears: [linear], moments, wanted });
  }

  private async norm(norm: Norm): Promise<void> {
    if (!this.refits || this.edits.length === 0) return;
    const fitted = await fitNorm(this.walk, norm, this.edits, 'output', this.run.context.signal);
    if (fitted) this.edits.push(fitted);
  }

  private readonly pause = async (): Promise<void> => {
    throwIfCancelled(this.run.context.signal);
    await new Promise(resolve => setImmediate(resolve));
  };

  private async compress({ linears, moments, wanted }: Group): Promise<void> {
    const [covariance, mean_I] = [moments.covarianceXX(), moments.meanX()];
    for (const linear of linears) {
      await this.pause();
      const { out, in: wide, bias } = linear;
      const own = await matrixOf(linear, this.run.context.signal);
      const aim = this.refits && bias ? await wanted(linear, own) : undefined;
      const aimed = aim ? (ridge(covariance, aim.cross_IO, own, out, wide, STRENGTH) ?? own) : own;
      const second = aim ? covariance : (this.shared.get(linear) ?? moments).secondMomentXX();
      const weight = await this.run.compress(linear, aimed, second, this.pause);
      // The mean of the output is what it should be.
      const offset = aim && Float32Array.from(aim.mean_O, (value, o) => value - dot(weight, o, mean_I));
      this.edits.push({
        kind: 'replace',
        target: linear,
        weight: storedAs(linear, weight),
        ...(bias && offset && { bias: like(bias, offset) }),
      });
    }
  }
}

/** What row `o` of a matrix gives for one input. */
function dot(weight_OI: Float32Array, o: number, input_I: Float64Array): number {
  let sum = 0;
  for (let i = 0, at = o * input_I.length; i < input_I.length; i++, at++) sum += weight_OI[at]! * input_I[i]!;
  return sum;
}
