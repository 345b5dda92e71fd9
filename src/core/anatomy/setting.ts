import { isSumOf, readers } from './feed-forward.ts';
import type { Anchor } from './flow.ts';

/** Where attention stands in its layer: what it reads, its output projection, and the sum behind that. */
export interface Setting {
  /** The data the layer reads. */
  readonly source: Anchor;
  readonly output: Anchor;
  /** The sum of attention and `residual`. */
  readonly attended: Anchor;
  /** What attention is added to: the source itself, or a narrower product of it (MobileBERT's bottleneck). */
  readonly residual: Anchor;
  /** Another product of the source, that query and key read together. */
  readonly shared?: Anchor;
  /** What puts other data beside the heads before the output projection (ConvBERT's convolution). */
  readonly mixed?: Anchor;
}

interface Ends {
  readonly query: Anchor;
  readonly key: Anchor;
  readonly value: Anchor;
  readonly context: Anchor;
}

/** undefined where the projections read different data, or nothing adds what stands behind attention to what stands before. */
export function settingOf({ query, key, value, context }: Ends): Setting | 'no-projection' | 'no-residual' {
  const read = [query, key, value].map(({ from }) => from[0]);
  if (!read.every(anchor => anchor !== undefined)) return 'no-projection';
  const behind = outputBehind(context);
  if (!behind) return 'no-projection';
  for (const attended of readers(behind.output))
    for (const residual of attended.from) {
      if (residual === behind.output || !isSumOf(attended, behind.output, residual)) continue;
      const source = commonSource(residual, read);
      if (!source) continue;
      const shared = read[0] === read[1] && read[0] !== source && read[0] !== residual ? read[0] : undefined;
      return { source, ...behind, attended, residual, ...(shared && { shared }) };
    }
  return new Set(read).size === 1 ? 'no-residual' : 'no-projection';
}

/** The projection of attention's result: of the heads alone, or of what is put beside each other. */
function outputBehind(context: Anchor): Pick<Setting, 'output' | 'mixed'> | undefined {
  const behind = readers(context);
  const output = behind.find(({ kind }) => kind === 'product');
  if (output) return { output };
  for (const mixed of behind.filter(({ kind, node }) => kind === 'join' && concats.has(node!.opType))) {
    const product = readers(mixed).find(({ kind }) => kind === 'product');
    if (product) return { output: product, mixed };
  }
  return undefined;
}

const concats = new Set(['Concat', 'QLinearConcat']);

/** What query, key and value all read or are: the residual, or what the residual is a product of. Only query and key may share a product of their own. */
function commonSource(residual: Anchor, read: readonly Anchor[]): Anchor | undefined {
  if (read.every(anchor => anchor === residual)) return residual;
  if (read[0] !== read[1]) return undefined;
  const before = residual.kind === 'product' ? residual.from[0] : undefined;
  const isOf = (anchor: Anchor, source: Anchor) => anchor === source || (anchor.kind === 'product' && anchor.from[0] === source);
  return [before, residual].find(source => source && read.every(anchor => anchor === residual || isOf(anchor, source)));
}
