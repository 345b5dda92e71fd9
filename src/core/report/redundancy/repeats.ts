import { floatsOf, isFloat, RUN } from '../../kernels/floats.ts';
import { dtypes } from '../../tensor/dtype.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import type { Repeat } from '../redundancy.ts';
import { tensorError } from '../weight-error.ts';
import type { Pace } from './matrix.ts';

/** Smaller tensors are not worth a row: scalars of a graph repeat by the thousand. */
const LEAST_BYTES = 1024;
/** Cosine from which two tensors are nearly the same. */
const NEAR = 0.999;
/** Numbers that stand for a tensor while pairs are looked for. */
const SKETCH = 64;
/**
 * Squared distance of the sketches of two tensors of length 1 up to which they are compared value by value. Tensors with a cosine of
 * 0.999 are 0.002 apart; a sketch of 64 numbers is off by 18 % (one standard deviation), unlike tensors are 2 apart.
 */
const CANDIDATE = 0.006;

/**
 * Identical and nearly identical tensors, largest first: each with the first one that it repeats. Every tensor that has another of its
 * type and shape is read once for a sketch; only those whose sketches are close are read again and compared value by value.
 * `copies` are known to hold the numbers of another tensor, turned perhaps.
 */
export async function repeats(
  tensors: readonly Tensor[],
  copies: ReadonlyMap<string, string>,
  pace: Pace,
): Promise<readonly Repeat[]> {
  const found = new Map<string, Repeat>();
  const byName = new Map(tensors.map(tensor => [tensor.name, tensor]));
  for (const group of groupsOf(tensors)) {
    const firsts: { tensor: Tensor; sketch: Float64Array }[] = [];
    for (const tensor of group) {
      await pace.pause();
      pace.done(elementCount(tensor.shape), tensor.name);
      const sketch = await sketchOf(tensor, pace);
      if (!sketch) continue;
      const repeat = await firstLike(tensor, sketch, firsts, pace);
      if (repeat) found.set(tensor.name, repeat);
      else firsts.push({ tensor, sketch });
    }
  }
  for (const [name, of] of copies) {
    const [tensor, first] = [byName.get(name), byName.get(of)];
    if (!tensor || !first || found.has(name) || samePlace(tensor, first) || tensor.byteLength < LEAST_BYTES) continue;
    if (tensor.dtype === first.dtype) found.set(name, { tensor: name, of, cosine: 1, byteLength: tensor.byteLength });
  }
  return [...found.values()].sort((a, b) => b.byteLength - a.byteLength);
}

/** Tensors of one type and shape, two or more. Those that share their bytes in the file take no more room: one of them counts. */
export function groupsOf(tensors: readonly Tensor[]): Tensor[][] {
  const groups = new Map<string, Tensor[]>();
  const places = new Set<string>();
  for (const tensor of tensors) {
    if (tensor.byteLength < LEAST_BYTES || ['string', 'complex'].includes(dtypes[tensor.dtype].kind)) continue;
    const place = tensor.place && `${tensor.place.file}\n${tensor.place.offset}`;
    if (place !== undefined) {
      if (places.has(place)) continue;
      places.add(place);
    }
    const key = `${tensor.dtype} ${tensor.shape.join()}`;
    const group = groups.get(key);
    if (group) group.push(tensor);
    else groups.set(key, [tensor]);
  }
  return [...groups.values()].filter(group => group.length > 1);
}

const samePlace = (a: Tensor, b: Tensor): boolean =>
  a.place !== undefined && a.place.file === b.place?.file && a.place.offset === b.place.offset;

type First = { readonly tensor: Tensor; readonly sketch: Float64Array };

async function firstLike(
  tensor: Tensor,
  sketch: Float64Array,
  firsts: readonly First[],
  pace: Pace,
): Promise<Repeat | undefined> {
  for (const first of firsts) {
    if (!isClose(sketch, first.sketch)) continue;
    const error = await tensorError(first.tensor, tensor, pace.signal);
    if (!error) continue;
    const same = error.maxAbs === 0;
    // Integers stand for nothing until they are scaled: only equal ones repeat.
    if (!same && (error.cosine < NEAR || !isFloat(tensor.dtype))) continue;
    // 1 is said of equal values only.
    const cosine = same ? 1 : Math.min(error.cosine, 1 - 1e-9);
    return { tensor: tensor.name, of: first.tensor.name, cosine, byteLength: tensor.byteLength };
  }
  return undefined;
}

function isClose(a: Float64Array, b: Float64Array): boolean {
  let distance = 0;
  for (let i = 0; i < SKETCH && distance <= CANDIDATE; i++) distance += (a[i]! - b[i]!) ** 2;
  return distance <= CANDIDATE;
}

/**
 * A tensor's direction as 64 numbers whose distances are those of the tensors (Charikar, Chen, Farach-Colton, Count sketch, 2002): each
 * value is added to one of them, with a sign; which one and which sign is decided by a hash of its position. null when a value is not finite.
 */
async function sketchOf(tensor: Tensor, pace: Pace): Promise<Float64Array | null> {
  const sketch = new Float64Array(SKETCH);
  let squares = 0;
  const count = elementCount(tensor.shape);
  for (let start = 0; start < count; start += RUN) {
    if (start > 0) await pace.pause();
    const values = await floatsOf(tensor, start, Math.min(count, start + RUN), pace.signal);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      let hash = Math.imul(start + i + 1, 0x9e3779b1);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0x85ebca6b);
      const at = (hash >>> 25) & (SKETCH - 1);
      sketch[at] = sketch[at]! + ((hash & 0x10000) === 0 ? value : -value);
      squares += value * value;
    }
  }
  if (!Number.isFinite(squares)) return null;
  const length = Math.sqrt(squares);
  return length > 0 ? sketch.map(value => value / length) : sketch;
}
