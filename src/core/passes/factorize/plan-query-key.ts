import type { Anatomy, Layer, Linear } from '../../anatomy/anatomy.ts';
import type { Moments, Tap } from '../../calibration/calibration.ts';
import { type Sentence, sentence, throwIfCancelled } from '../../errors.ts';
import { floatsOf } from '../../kernels/floats.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { computed } from '../computed.ts';
import type { NarrowHeadsEdit, PassContext, Plan, Skipped } from '../pass.ts';
import { type Use, usesOfConstants } from '../uses.ts';
import type { Candidate } from './candidates.ts';
import { promised, stored } from './factors.ts';
import { headSplits } from './head-splits.ts';
import { matrixOf } from './matrix.ts';
import { narrowHead } from './query-key.ts';
import type { Budget } from './ranks.ts';
import { notFinite } from './whitened.ts';

/** Query and key of each layer together: narrower heads whose scores are nearest to the original's, on the text where there is some. */
export async function planQueryKey(
  anatomy: Anatomy,
  candidates: readonly Candidate[],
  { rank: given, ratio }: Budget,
  context: PassContext,
): Promise<Plan> {
  const { model, progress, signal, dryRun } = context;
  const edits: NarrowHeadsEdit[] = [];
  const here: NarrowHeadsEdit[] = [];
  const skipped: Skipped[] = [];
  const chosen = new Set(candidates.map(({ linear }) => linear));
  const layers = anatomy.layers.filter(({ query, key }) => chosen.has(query) && chosen.has(key));
  const uses = model.graph && usesOfConstants({ ...model, graph: model.graph });
  const calibration = dryRun || layers.length === 0 ? undefined : await context.calibration?.();
  const walk = await calibration?.walk();
  for (const [done, layer] of layers.entries()) {
    throwIfCancelled(signal);
    const target = `encoder.layer.${layer.index}.attention.self`;
    progress?.(done / layers.length, target);
    const width = given ?? Math.max(1, Math.floor(ratio! * layer.headDim));
    const reason = await whyNot(layer, width, anatomy, context, uses);
    if (reason) {
      skipped.push({ target, reason });
      continue;
    }
    let moments: Moments | undefined;
    if (walk && calibration) {
      // Later layers see what the narrower heads before them give.
      while (walk.at && (walk.at.layer !== layer.index || walk.at.part !== 'attention')) await walk.advance(here.splice(0));
      const tap: Tap = `${layer.query.id}:in`;
      moments = calibration.moments(layer.query.in);
      await walk.observe('current', [tap], [], batch => moments!.add(batch.get(tap)));
    }
    const edit = dryRun ? sizesOnly(layer, width) : await narrowed(layer, width, context, moments);
    edits.push(edit);
    here.push(edit);
  }
  return { edits, skipped };
}

async function whyNot(
  layer: Layer,
  width: number,
  { layers }: Anatomy,
  { model }: PassContext,
  uses: ReadonlyMap<string, readonly Use[]> | undefined,
): Promise<Sentence | undefined> {
  const { query, key, heads, headDim } = layer;
  if (!model.graph || !uses)
    return sentence(
      'A checkpoint has one width of a head for query, key and value. Write ONNX: there query and key can have another.',
    );
  if (
    heads === 0 ||
    query.out !== heads * headDim ||
    key.out !== query.out ||
    query.within ||
    key.within ||
    !query.bias ||
    !key.bias
  )
    return sentence('Query and key do not stand beside each other as matrices with a bias and known heads.');
  if (layers.some(({ stored: of, index }) => of === layer.stored && index !== layer.index))
    return sentence('Several layers share it: their heads keep one width.');
  if (width >= headDim)
    return sentence('A head is {headDim} wide: {width} would not make query and key smaller.', { headDim, width });
  const once = [query, key].every(
    ({ weight, bias }) => uses.get(weight.name)?.length === 1 && readersOf(model.graph!.nodes, bias!) === 1,
  );
  if (once && (await headSplits({ ...model, graph: model.graph }, layer))) return undefined;
  return sentence('How this graph splits query and key into heads leaves no other width for them.');
}

const readersOf = (nodes: NonNullable<PassContext['model']['graph']>['nodes'], { name }: Tensor): number =>
  nodes.filter(({ inputs }) => inputs.includes(name)).length;

async function narrowed(
  layer: Layer,
  width: number,
  { signal, model }: PassContext,
  moments?: Moments,
): Promise<NarrowHeadsEdit> {
  const { query, key, heads, headDim } = layer;
  const wide = query.in;
  const [query_OI, key_OI] = [await doubles(query, signal), await doubles(key, signal)];
  const bias_O = Float64Array.from(await floatsOf(query.bias!, 0, elementCount(query.bias!.shape), signal));
  const seen = moments && { covariance: moments.covarianceXX(), mean: moments.meanX() };
  const [queries, keys, biases] = [0, 0, 0].map((_, i) => new Float32Array(heads * width * (i === 2 ? 1 : wide))) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let head = 0; head < heads; head++) {
    throwIfCancelled(signal);
    await new Promise(resolve => setImmediate(resolve));
    const of = (values: Float64Array, each: number) => values.subarray(head * headDim * each, (head + 1) * headDim * each);
    const made = await narrowHead(
      { query: of(query_OI, wide), queryBias: of(bias_O, 1), key: of(key_OI, wide), ...(seen && { moments: seen }) },
      headDim,
      wide,
      width,
    );
    if (!made) throw notFinite(query.id, model.name);
    queries.set(made.query, head * width * wide);
    keys.set(made.key, head * width * wide);
    biases.set(made.queryBias, head * width);
  }
  return {
    kind: 'narrow-heads',
    layer: layer.index,
    width,
    query: { weight: lying(query, queries), bias: asStored(query.bias!, [heads * width], biases) },
    key: { weight: lying(key, keys), bias: asStored(key.bias!, [heads * width], new Float32Array(heads * width)) },
  };
}

const doubles = async (linear: Linear, signal?: AbortSignal) => Float64Array.from(await matrixOf(linear, signal));

/** [out, in] in the layout of a linear's weight. */
function lying({ weight, in: width, transposed }: Linear, values_OI: Float32Array): Tensor {
  const out = values_OI.length / width;
  if (!transposed) return asStored(weight, [out, width], values_OI);
  const turned = new Float32Array(values_OI.length);
  for (let o = 0; o < out; o++) for (let i = 0; i < width; i++) turned[i * out + o] = values_OI[o * width + i]!;
  return asStored(weight, [width, out], turned);
}

function asStored({ name, dtype }: Tensor, shape: readonly number[], values: Float32Array): Tensor {
  const bytes = stored(values, dtype);
  return computed(name, dtype, shape, async (start, end) => bytes.subarray(start, end));
}

function sizesOnly({ index, heads, query, key }: Layer, width: number): NarrowHeadsEdit {
  const out = heads * width;
  const part = ({ weight, bias, in: wide, transposed }: Linear) => ({
    weight: promised(weight.name, weight.dtype, transposed ? [wide, out] : [out, wide]),
    bias: promised(bias!.name, bias!.dtype, [out]),
  });
  return { kind: 'narrow-heads', layer: index, width, query: part(query), key: part(key) };
}
