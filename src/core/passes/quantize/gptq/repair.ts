import { type Anatomy, type Layer, type Linear, linearsIn, type Norm } from '../../../anatomy/anatomy.ts';
import type { Calibration, Moments, Tap, Walk } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext, ReplaceEdit } from '../../pass.ts';
import { type GptqForm, type GptqMatrix, gptqMatrix } from './gptq-matrix.ts';
import { like, matrixOf, storedAs } from './matrix-of.ts';
import { affineOf, NormFit } from './norm-fit.ts';
import { ridge } from './ridge.ts';

// Layer after layer, from the embeddings up, on the hidden states of the model as it is by then:
//
//     query, key, value, up   first refitted so that they give on the inputs of now what they gave on those of before
//     output, down            first refitted so that residual stream and branch together give what they gave before
//     all of them             rounded by GPTQ; the bias takes what rounding does to the mean
//     norms                   gain and offset refitted by channel
//
// On all-MiniLM-L6-v2, 3 bits in groups of 64, 512 sentences: 0.964 by GPTQ alone, 0.970 with all of it, 0.980 with 2,048 sentences.

/** How far a refit may leave the matrix as it was, as a share of the mean variance of its inputs. */
const STRENGTH = 0.01;

export interface Repaired {
  /** By the name of the stored weight. */
  readonly matrices: ReadonlyMap<string, GptqMatrix>;
  /** Biases and norms. */
  readonly replacements: readonly ReplaceEdit[];
}

type FormOf = (weight: string) => GptqForm | undefined;

/**
 * Rounds the matrices of layers that `formOf` names. `before` are edits of the embeddings.
 * Memory: the second moments of one half of a layer at a time.
 */
export async function repair(
  calibration: Calibration<Edit>,
  anatomy: Anatomy,
  formOf: FormOf,
  before: readonly Edit[],
  { signal, progress }: Pick<PassContext, 'signal' | 'progress'>,
): Promise<Repaired> {
  const pause = async (): Promise<void> => {
    throwIfCancelled(signal);
    await new Promise(resolve => setImmediate(resolve));
  };
  const embedding = await refitEmbeddings(calibration, anatomy, before, signal);
  const walk = await calibration.walk([...before, ...embedding]);
  const matrices = new Map<string, GptqMatrix>();
  const replacements: ReplaceEdit[] = [...embedding];
  const made = new Map<string, readonly ReplaceEdit[]>();
  for (let done = 0; walk.at; done++) {
    const { layer: index, part } = walk.at;
    const layer = anatomy.layers[index]!;
    progress?.(done / (2 * anatomy.layers.length), `encoder.layer.${index}`);
    const key = `${layer.stored} ${part}`;
    let edits = made.get(key);
    if (!edits) {
      const isShared = anatomy.layers.some(other => other !== layer && other.stored === layer.stored);
      const half = new HalfRepair({ calibration, walk, layer, formOf, matrices, pause, isShared, ...(signal && { signal }) });
      edits = part === 'attention' ? await half.attention() : await half.feedForward();
      made.set(key, edits);
      replacements.push(...edits.flatMap(withoutWeight));
    }
    await walk.advance(edits);
  }
  return { matrices, replacements };
}

/** The weight of a linear is in `matrices`; a norm's is its gain. */
const withoutWeight = (edit: ReplaceEdit): ReplaceEdit[] => {
  if (!('in' in edit.target)) return [edit];
  return edit.bias ? [{ kind: 'replace', target: edit.target, bias: edit.bias }] : [];
};

/** Gain and offset of the norm behind the tables, which fewer bits moved. */
async function refitEmbeddings(
  calibration: Calibration<Edit>,
  { embeddingNorm }: Anatomy,
  before: readonly Edit[],
  signal?: AbortSignal,
): Promise<ReplaceEdit[]> {
  const affine = before.length > 0 && embeddingNorm ? await affineOf(embeddingNorm, signal) : undefined;
  if (!affine) return [];
  const fit = new NormFit(affine);
  const walk = await calibration.walk(before);
  await walk.observeBoth(['input'], [], (original, current) => fit.add(current.get('input'), original.get('input')));
  return normEdits(embeddingNorm!, fit);
}

function normEdits(norm: Norm, fit: NormFit): ReplaceEdit[] {
  const found = fit.result();
  if (!found) return [];
  return [{ kind: 'replace', target: norm, weight: like(norm.weight!, found.weight), bias: like(norm.bias!, found.bias) }];
}

interface HalfSetting {
  readonly calibration: Calibration<Edit>;
  readonly walk: Walk<Edit>;
  readonly layer: Layer;
  readonly formOf: FormOf;
  readonly matrices: Map<string, GptqMatrix>;
  readonly pause: () => Promise<void>;
  /** The weights serve several layers: they are rounded for the first, and nothing is refitted. */
  readonly isShared: boolean;
  readonly signal?: AbortSignal;
}

/** Linears that read one value, with the moments of it and of what each should give, side by side. */
interface Group {
  readonly linears: readonly Linear[];
  readonly moments: Moments;
}

class HalfRepair {
  private readonly setting: HalfSetting;
  private readonly edits: ReplaceEdit[] = [];

  constructor(setting: HalfSetting) {
    this.setting = setting;
  }

  async attention(): Promise<readonly ReplaceEdit[]> {
    const { query, key, value, output, attentionNorm } = this.setting.layer;
    await this.first([query, key, value]);
    await this.second(output);
    await this.norm(attentionNorm);
    return this.edits;
  }

  async feedForward(): Promise<readonly ReplaceEdit[]> {
    const { up, gate, down, outputNorm } = this.setting.layer;
    await this.first(gate ? [up, gate] : [up]);
    await this.second(down);
    await this.norm(outputNorm);
    return this.edits;
  }

  /** What reads the residual stream: it should give what it gave. */
  private async first(linears: readonly Linear[]): Promise<void> {
    const { walk, layer } = this.setting;
    const stored = new Set(linearsIn(layer));
    const chosen = [...new Set(linears.map(linear => linear.within ?? linear))].filter(
      linear => stored.has(linear) && this.formOf(linear),
    );
    if (chosen.length === 0) return;
    let groups: Group[] | undefined;
    const taps = chosen.flatMap(({ id }): Tap[] => [`${id}:in`, `${id}:out`]);
    await walk.observeBoth(taps, this.edits, async (original, current) => {
      groups ??= this.groupsOf(chosen, linear => current.get(`${linear.id}:in`));
      for (const { linears: together, moments } of groups)
        await moments.add(
          current.get(`${together[0]!.id}:in`),
          sideBySide(
            together.map(({ id }) => original.get(`${id}:out`)),
            original.tokens,
          ),
        );
    });
    for (const group of groups ?? []) await this.round(group);
  }

  private groupsOf(linears: readonly Linear[], inputOf: (linear: Linear) => Float32Array): Group[] {
    const byInput = new Map<Float32Array, Linear[]>();
    for (const linear of linears) byInput.set(inputOf(linear), [...(byInput.get(inputOf(linear)) ?? []), linear]);
    return [...byInput.values()].map(together => {
      const out = together.reduce((sum, linear) => sum + linear.out, 0);
      return { linears: together, moments: this.setting.calibration.moments(together[0]!.in, out) };
    });
  }

  /** What writes to the residual stream: both together should give what they gave. */
  private async second(linear: Linear): Promise<void> {
    if (linear.within || !this.formOf(linear)) return;
    const { walk, calibration } = this.setting;
    const moments = calibration.moments(linear.in, linear.out);
    const taps: Tap[] = ['input', `${linear.id}:in`, `${linear.id}:out`];
    await walk.observeBoth(taps, this.edits, async (original, current) => {
      const wanted = Float32Array.from(original.get(`${linear.id}:out`));
      const [was, is] = [original.get('input'), current.get('input')];
      // A layer with bottlenecks adds its branches in a narrower space.
      if (was.length === wanted.length) for (let i = 0; i < wanted.length; i++) wanted[i]! += was[i]! - is[i]!;
      await moments.add(current.get(`${linear.id}:in`), wanted);
    });
    await this.round({ linears: [linear], moments });
  }

  private async norm(norm: Norm): Promise<void> {
    const { walk, isShared, signal } = this.setting;
    const affine = isShared || this.edits.length === 0 ? undefined : await affineOf(norm, signal);
    if (!affine) return;
    const fit = new NormFit(affine);
    await walk.observeBoth(['output'], this.edits, (original, current) => fit.add(current.get('output'), original.get('output')));
    this.edits.push(...normEdits(norm, fit));
  }

  private formOf({ weight, form }: Linear): GptqForm | undefined {
    return form === 'dense' ? this.setting.formOf(weight.name) : undefined;
  }

  private async round({ linears, moments }: Group): Promise<void> {
    const { pause, isShared, signal, matrices } = this.setting;
    const [covariance, cross, meanX, meanY] = [moments.covarianceXX(), moments.covarianceXY(), moments.meanX(), moments.meanY()];
    const all = meanY.length;
    let first = 0;
    for (const linear of linears) {
      await pause();
      const { out, in: wide, bias } = linear;
      const own = await matrixOf(linear, signal);
      const refits = !isShared && bias !== undefined;
      const aimed = refits ? (ridge(covariance, columns(cross, wide, all, first, out), own, out, wide, STRENGTH) ?? own) : own;
      const hessian = refits ? covariance : moments.secondMomentXX();
      const matrix = await gptqMatrix(aimed, out, wide, hessian, this.formOf(linear)!, pause);
      matrices.set(linear.weight.name, matrix);
      this.edits.push({
        kind: 'replace',
        target: linear,
        weight: storedAs(linear, matrix.weight_OI),
        ...(refits && { bias: like(bias, offsets(matrix.weight_OI, meanX, meanY.subarray(first, first + out))) }),
      });
      first += out;
    }
  }
}

/** Rows of several values as rows of one. */
function sideBySide(values: readonly Float32Array[], tokens: number): Float32Array {
  if (values.length === 1) return values[0]!;
  const widths = values.map(({ length }) => length / tokens);
  const all = widths.reduce((sum, width) => sum + width, 0);
  const into = new Float32Array(tokens * all);
  let first = 0;
  for (const [v, value] of values.entries()) {
    const width = widths[v]!;
    for (let t = 0; t < tokens; t++) into.set(value.subarray(t * width, (t + 1) * width), t * all + first);
    first += width;
  }
  return into;
}

/** Columns [first, first + count) of [rows, all]. */
function columns(values: Float64Array, rows: number, all: number, first: number, count: number): Float64Array {
  const into = new Float64Array(rows * count);
  for (let r = 0; r < rows; r++) into.set(values.subarray(r * all + first, r * all + first + count), r * count);
  return into;
}

/** The bias with which the mean of the output is what it should be. */
function offsets(weight_OI: Float32Array, meanX: Float64Array, meanY: Float64Array): Float32Array {
  const wide = meanX.length;
  return Float32Array.from(meanY, (wanted, o) => {
    let given = 0;
    for (let i = 0; i < wide; i++) given += weight_OI[o * wide + i]! * meanX[i]!;
    return wanted - given;
  });
}
