import { type Anatomy, linearsIn } from '../../../anatomy/anatomy.ts';
import { sentence } from '../../../errors.ts';
import { calibrationOf } from '../../calibration-of.ts';
import { held } from '../../computed.ts';
import type { Edit, PassContext, Plan, QuantizeBlocksEdit, Skipped, StoreEdit } from '../../pass.ts';
import { packLevels } from '../int4-levels.ts';
import { packedFrom } from '../packed-matrix.ts';
import type { QuantizeOptions } from '../scheme.ts';
import { packWords } from '../words.ts';
import type { GptqForm, GptqMatrix } from './gptq-matrix.ts';
import { repair } from './repair.ts';
import { type FormOf, replacedIn } from './replaced.ts';

/**
 * The plan as `rounding` asks for it: as it is, or with the matrices of layers rounded on calibration text and what was refitted around
 * them. What has no layer stays rounded to nearest.
 */
export async function planRounded(
  anatomy: Anatomy,
  plain: Plan,
  { rounding }: Pick<QuantizeOptions, 'rounding'>,
  context: PassContext,
): Promise<Plan> {
  if (rounding !== 'gptq' || plain.edits.length === 0) return plain;
  const byName = new Map(plain.edits.flatMap(edit => (isRounded(edit) ? [[edit.target.weight.name, edit] as const] : [])));
  const formOf: FormOf = name => {
    const edit = byName.get(name);
    return edit && gptqForm(edit);
  };
  const [kept, isAll] = keptNearest(anatomy, formOf, context.model.name);
  const skipped = [...plain.skipped, ...kept];
  if (isAll) return { ...plain, skipped };
  const tables = new Set(anatomy.tables.map(({ weight }) => weight.name));
  const before = plain.edits.filter(edit => 'target' in edit && tables.has(edit.target.weight?.name ?? ''));
  // Sizes are known without text: levels as many as they were, biases and norms replaced by themselves.
  if (context.dryRun) return { ...plain, skipped, edits: [...replacedIn(anatomy, formOf, before.length > 0), ...plain.edits] };
  const calibration = await calibrationOf(context, 'rounding: gptq');
  const { matrices, replacements, unseen } = await repair(calibration, anatomy, formOf, before, context);
  const edits = plain.edits.map((edit): Edit => {
    const matrix = isRounded(edit) && matrices.get(edit.target.weight.name);
    return matrix ? rounded(edit, matrix) : edit;
  });
  const reason = sentence('The graph does not show what goes into it and comes out: it is rounded to nearest.');
  return {
    ...plain,
    edits: [...replacements, ...edits],
    skipped: [...skipped, ...unseen.map(target => ({ target, reason }))],
  };
}

type RoundedEdit = QuantizeBlocksEdit | StoreEdit;

/** Levels in blocks of a graph, or in words of a checkpoint. */
const isRounded = (edit: Edit): edit is RoundedEdit =>
  edit.kind === 'quantize-blocks' || (edit.kind === 'store' && edit.values.dtype === 'int32');

function gptqForm(edit: RoundedEdit): GptqForm {
  const { bits } = edit;
  const symmetric = edit.zeroPoint === undefined;
  if (edit.kind === 'quantize-blocks') return { bits, group: edit.blockSize, symmetric };
  // A row whose length is no multiple of 16 is one group that is cut short.
  const group = edit.groupSize || 16 * Math.ceil(edit.target.weight.shape.at(-1)! / 16);
  return { bits, group, symmetric, words: true };
}

/** What stays rounded to nearest, and whether that is everything. */
function keptNearest(anatomy: Anatomy, formOf: FormOf, name: string): readonly [readonly Skipped[], boolean] {
  const { layers } = anatomy;
  if (layers.length === 0)
    return [[{ target: name, reason: sentence('No BERT layers were found: everything is rounded to nearest.') }], true];
  const half = layers.flatMap(linearsIn).find(({ weight }) => weight.dtype !== 'fp32' && formOf(weight.name));
  if (half) {
    const { dtype } = half.weight;
    const reason = sentence('GPTQ runs the model in fp32, and this one is {dtype}: it is rounded to nearest.', { dtype });
    return [[{ target: name, reason }], true];
  }
  return [[], false];
}

function rounded(edit: RoundedEdit, matrix: GptqMatrix): RoundedEdit {
  return edit.kind === 'store' ? roundedWords(edit, matrix) : roundedBlocks(edit, matrix);
}

function roundedBlocks(edit: QuantizeBlocksEdit, { level_OI, scale_OG, zero_OG }: GptqMatrix): QuantizeBlocksEdit {
  const [channels = 0, blocks = 0] = edit.scale.shape;
  const { bits, blockSize } = edit;
  const [wide, full] = [level_OI.length / channels, blocks * blockSize];
  const levels = new Uint8Array(channels * full);
  for (let o = 0; o < channels; o++) {
    levels.fill(zero_OG[(o + 1) * blocks - 1]!, o * full + wide, (o + 1) * full);
    levels.set(level_OI.subarray(o * wide, (o + 1) * wide), o * full);
  }
  return {
    ...edit,
    values: held('values', 'uint8', edit.values.shape, packLevels(levels, channels, full, bits)),
    scale: held('scale', 'fp32', edit.scale.shape, scale_OG),
    ...(edit.zeroPoint && {
      zeroPoint: held('zeroPoint', 'uint8', edit.zeroPoint.shape, packLevels(zero_OG, channels, blocks, bits)),
    }),
  };
}

function roundedWords(edit: StoreEdit, { level_OI, scale_OG, zero_OG }: GptqMatrix): StoreEdit {
  const [rows = 0, groups = 0] = edit.scale.shape;
  const columns = level_OI.length / rows;
  const { bits } = edit;
  const words = packWords(level_OI, rows, columns, bits);
  const shape = { rows, columns, groups, bits, symmetric: edit.zeroPoint === undefined };
  return { ...edit, ...packedFrom(shape, async () => ({ words, scale_RG: scale_OG, zero_RG: zero_OG })) };
}
