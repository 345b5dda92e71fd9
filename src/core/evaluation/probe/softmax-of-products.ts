import type { Values } from '../runtime.ts';
import type { AttentionSource } from './attention-source.ts';

// B batch, T tokens, H heads, D numbers of a head, W numbers of a token

type Products = Extract<AttentionSource, { kind: 'products' }>;

/** Where the numbers of a token and head begin: offset + head * `head` + token * `token`. */
interface Layout {
  readonly offset: number;
  readonly head: number;
  readonly token: number;
}

/**
 * softmax(scale * Q K^T + mask) of the first text, in fp64: for each head [T, T]. Keys may have fewer heads than queries, which then
 * share them in order. undefined where the shapes are none that are known.
 */
export function softmaxOfProducts(
  results: ReadonlyMap<string, Values>,
  source: Products,
  tokens: number,
): number[][] | undefined {
  const query = results.get(source.query)!;
  const key = source.key === undefined ? query : results.get(source.key)!;
  const width = widthOf(query, source);
  const [queries, keys] = [layoutOf(query, width, 0), layoutOf(key, width, source.key === undefined ? 1 : 0, source.keyColumn)];
  if (!queries || !keys || !Number.isInteger(width)) return undefined;
  const bias = source.bias === undefined ? undefined : results.get(source.bias)!.data;
  const mask = source.mask === undefined ? undefined : results.get(source.mask)!;
  const added = mask && addedBy(mask);
  const scale = source.scale ?? 1 / Math.sqrt(width);
  const shared = source.heads / headsOfKeys(key, source, width);
  return Array.from({ length: source.heads }, (_, h) => {
    const k = Math.floor(h / shared);
    const weights_TT = new Array<number>(tokens * tokens).fill(0);
    for (let t = 0; t < tokens; t++) {
      const scores = new Float64Array(tokens);
      for (let s = 0; s < tokens; s++) {
        let sum = 0;
        const [from, to] = [start(queries, h, t), start(keys, k, s)];
        for (let d = 0; d < width; d++) {
          const [a, b] = bias ? [bias[h * width + d]!, bias[(source.heads + k) * width + d]!] : [0, 0];
          sum += (query.data[from + d]! + a) * (key.data[to + d]! + b);
        }
        const score = (added?.(h, t, s) ?? 0) + sum * scale;
        scores[s] = source.softcap ? source.softcap * Math.tanh(score / source.softcap) : score;
      }
      const most = scores.reduce((a, b) => Math.max(a, b));
      const exponentials = scores.map(score => Math.exp(score - most));
      const total = exponentials.reduce((a, b) => a + b);
      for (let s = 0; s < tokens; s++) weights_TT[t * tokens + s] = exponentials[s]! / total;
    }
    return weights_TT;
  });
}

const start = ({ offset, head, token }: Layout, h: number, t: number): number => offset + h * head + t * token;

function widthOf({ shape }: Values, { heads, keyColumn }: Products): number {
  if (shape.length > 3) return shape.at(-1)!;
  return (keyColumn ?? shape.at(-1)!) / heads;
}

/** [B, T, W] from `column` on, [B, H, T, D], or [B, T, H, 3, D] of which `part` is meant; key and value alone are [B, T, H, 2, D]. */
function layoutOf({ shape }: Values, width: number, part: 0 | 1, column = 0): Layout | undefined {
  if (shape.length === 3) return { offset: column, head: width, token: shape[2]! };
  if (shape.length === 4) return { offset: 0, head: shape[2]! * width, token: width };
  if (shape.length === 5) return { offset: part * width, head: shape[3]! * width, token: shape[2]! * shape[3]! * width };
  return undefined;
}

function headsOfKeys({ shape }: Values, { heads, key }: Products, width: number): number {
  if (key === undefined) return heads;
  if (shape.length === 3) return shape[2]! / width;
  return shape.length === 5 ? shape[2]! : shape[1]!;
}

/** What a mask adds, broadcast from the right to [B, H, T, T] of the first text. One of true and false hides where it is false. */
function addedBy({ data, shape }: Values): (h: number, t: number, s: number) => number {
  const sizes = [1, 1, 1, ...shape].slice(-3);
  const isTruth = data.some(value => value === 1) && data.every(value => value === 0 || value === 1);
  return (...place) => {
    const index = place.reduce((at, each, axis) => at * sizes[axis]! + (sizes[axis] === 1 ? 0 : each), 0);
    const value = data[index]!;
    return isTruth ? (value === 1 ? 0 : Number.NEGATIVE_INFINITY) : value;
  };
}
