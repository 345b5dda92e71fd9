import type { Anatomy } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { ByLayer, ConvertEdit, Plan, QuantizeBlocksEdit, Skipped } from '../pass.ts';
import { asHalf } from './as-half.ts';
import { planBlocks } from './int4-graph.ts';
import type { QuantizeOptions } from './scheme.ts';

/** Widths that MatMulNBits multiplies by. */
const runnable = [2, 4, 8];
const wider = (bits: number): number => runnable.find(width => width >= bits)!;
const widened = (bits: ByLayer): ByLayer => (typeof bits === 'number' ? wider(bits) : bits.map(wider));

/** Positions lose 2 to 5 points of accuracy below this in Q-BERT (section 4.2). */
const POSITION_BITS = 8;

/** Mixed widths in a graph: blocks of the next wider form that onnxruntime runs. */
export function planMixedGraph(model: Model & { readonly graph: Graph }, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const bits = widened(options.bits);
  const asHalves = options.embedding_bits === 16;
  const common = { ...options, bits, operators: 'contrib', embedding_bits: asHalves ? 32 : options.embedding_bits };
  const positions = anatomy.tables.filter(({ id }) => /position/.test(id)).map(({ id }) => id);
  const apart = options.embedding_bits < POSITION_BITS && positions.length > 0;
  const main = planBlocks(model, anatomy, apart ? { ...common, exclude: [...options.exclude, ...positions] } : common);
  const rest = apart ? planBlocks(model, anatomy, { ...common, embedding_bits: POSITION_BITS }) : undefined;
  const isPosition = (target: string) => positions.includes(target);
  const edits = [...main.edits, ...(rest?.edits.filter(edit => 'target' in edit && isPosition(edit.target.id)) ?? [])];
  const skipped: Skipped[] = [
    ...main.skipped.filter(({ target }) => !apart || !isPosition(target)),
    ...(rest?.skipped.filter(({ target }) => isPosition(target)) ?? []),
  ];
  const halves = asHalves ? tablesAsHalves(anatomy) : undefined;
  const kept = halves ? skipped.filter(({ target }) => !anatomy.tables.some(({ id }) => id === target)) : skipped;
  const blocks = edits.filter(edit => edit.kind === 'quantize-blocks');
  return { edits: halves ? [...edits, halves] : edits, skipped: kept, notes: bothSizes(anatomy, options, blocks) };
}

function tablesAsHalves({ tables }: Anatomy): ConvertEdit | undefined {
  const wide = tables.filter(({ weight }) => weight.dtype === 'fp32').map(({ weight }) => [weight.name, asHalf(weight)] as const);
  return wide.length === 0 ? undefined : { kind: 'convert', dtype: 'fp16', tensors: new Map(wide), depth: 'storage' };
}

/** What the widths that were asked for would take, where the graph has wider ones. */
function bothSizes({ layers }: Anatomy, { bits }: QuantizeOptions, blocks: readonly QuantizeBlocksEdit[]): Sentence[] {
  const asked = new Map(
    layers.flatMap(layer =>
      linearsIn(layer).map(({ id }) => [id, typeof bits === 'number' ? bits : (bits[layer.stored] ?? bits.at(-1)!)] as const),
    ),
  );
  const inLayers = blocks.filter(({ target }) => asked.has(target.id));
  const stored = inLayers.reduce((sum, { values }) => sum + values.byteLength, 0);
  const packed = inLayers.reduce((sum, it) => sum + (it.values.byteLength * asked.get(it.target.id)!) / it.bits, 0);
  if (packed === stored) return [];
  return [
    sentence(
      'Runtimes multiply by 2, 4 and 8 bits: the matrices of the layers take {stored} bytes in the next wider form, {packed} packed.',
      { stored, packed },
    ),
  ];
}
