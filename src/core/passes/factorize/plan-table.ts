import type { Anatomy, Table } from '../../anatomy/anatomy.ts';
import { embeddingIds } from '../../anatomy/ids.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Model } from '../../model/model.ts';
import { normAsItIs } from '../as-it-is.ts';
import { calibrationOf } from '../calibration-of.ts';
import { held } from '../computed.ts';
import type { Edit, FactorEdit, PassContext, Plan } from '../pass.ts';
import { fitNorm } from '../refit/norm-fit.ts';
import { tokenCounts } from '../token-counts.ts';
import { usesOfConstants } from '../uses.ts';
import { isMobilebert } from './as-mobilebert.ts';
import { promised } from './factors.ts';
import { tableFactors } from './table.ts';

export interface TableOptions {
  readonly rank: number;
  readonly method: string;
}

/** Bytes of a narrow table that is held while the model runs on text: 256 numbers for each of 65,536 words. Larger ones are computed at each read. */
const MOST_HELD = 64 * 1024 * 1024;

export async function planTable(anatomy: Anatomy, { rank, method }: TableOptions, context: PassContext): Promise<Plan> {
  const { model, dryRun, signal } = context;
  const table = anatomy.tables.find(({ id }) => id === embeddingIds.word);
  if (!table) {
    const reason = anatomy.notBert ?? sentence('No table of words was found.');
    return { edits: [], skipped: [{ target: model.name, reason }] };
  }
  const reason = whyNot(model, anatomy, table) ?? growing(rank, table);
  if (reason) return { edits: [], skipped: [{ target: table.id, reason }] };
  const note = noteOf(model, anatomy);
  const skipped = note ? [{ target: 'config.json', reason: note }] : [];
  const norm = method === 'svd' ? undefined : anatomy.embeddingNorm;
  if (dryRun) return { edits: [sizeOnly(table, rank), ...(norm ? normAsItIs(norm) : [])], skipped };
  if (method === 'svd') return { edits: [tableFactors(table, rank)], skipped };
  const calibration = await calibrationOf(context, 'factorize-embeddings');
  const edits: Edit[] = [await inMemory(tableFactors(table, rank, tokenCounts(table.rows, calibration.ids)), signal)];
  const refitted = norm && (await fitNorm(await calibration.walk(edits, undefined, 'source'), norm, [], 'input', signal));
  return { edits: [...edits, ...(refitted ? [refitted] : norm ? normAsItIs(norm) : [])], skipped };
}

/** Steps behind this one read the narrow table again and again. */
async function inMemory(edit: FactorEdit, signal?: AbortSignal): Promise<FactorEdit> {
  const { first, second } = edit;
  if (second.byteLength > MOST_HELD) return edit;
  const [projection, narrow] = [await first.bytes(0, first.byteLength, signal), await second.bytes(0, second.byteLength, signal)];
  return {
    ...edit,
    first: held(first.name, first.dtype, first.shape, projection),
    second: held(second.name, second.dtype, second.shape, narrow),
  };
}

function whyNot(model: Model, anatomy: Anatomy, table: Table): Sentence | undefined {
  const { weight, form, packed, width } = table;
  if (anatomy.embeddingProjection)
    return sentence('It is factored already: its rows of {width} numbers are widened to {hidden}.', {
      width,
      hidden: anatomy.hidden,
    });
  if (form === 'quantized' || packed || !isFloat(weight.dtype))
    return sentence('It is quantized. Factorize first, then quantize.');
  if (model.graph) {
    const uses = usesOfConstants({ ...model, graph: model.graph });
    const names = [weight.name, ...[...anatomy.copies].flatMap(([copy, first]) => (first === weight.name ? [copy] : []))];
    const own = names.flatMap(name => uses.get(name) ?? []);
    const isRead = own.some(({ kind }) => kind === 'gather') && own.every(({ kind }) => kind !== 'other');
    return isRead ? undefined : sentence('An operator that is no look-up and no plain product reads it.');
  }
  const decoder = anatomy.top.find(
    ({ linear }) => linear && (anatomy.copies.get(linear.weight.name) ?? linear.weight.name) === weight.name,
  );
  return decoder && sentence('The decoder reads it too, and no checkpoint holds that factored. As ONNX it can be factored.');
}

function growing(rank: number, { rows, width }: Table): Sentence | undefined {
  if (rank > width) return sentence('Rank {rank} is more than it has: its rows have {width} numbers.', { rank, width });
  if (rank * (rows + width) < rows * width) return undefined;
  return sentence('Rank {rank} would not make it smaller: {rank} x ({rows} + {width}) is not less than {rows} x {width}.', {
    rank,
    rows,
    width,
  });
}

/** What loads the written checkpoint. */
function noteOf(model: Model, anatomy: Anatomy): Sentence | undefined {
  if (model.graph) return undefined;
  if (isMobilebert(model, anatomy))
    return sentence(
      'The model becomes a MobileBERT without bottlenecks, which transformers loads: it does the same, to about 1e-4.',
    );
  return sentence(
    'No class of transformers holds this model with factored embeddings. Headroom opens it, and exports it to ONNX.',
  );
}

const sizeOnly = (target: Table, rank: number): FactorEdit => ({
  kind: 'factor',
  target,
  first: promised('first', target.weight.dtype, [target.width, rank]),
  second: promised('second', target.weight.dtype, [target.rows, rank]),
});
