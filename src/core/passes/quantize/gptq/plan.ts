import type { Anatomy } from '../../../anatomy/anatomy.ts';
import { elementCount } from '../../../tensor/tensor.ts';
import { calibrationOf } from '../../calibration-of.ts';
import { held } from '../../computed.ts';
import type { Edit, PassContext, Plan, QuantizeBlocksEdit } from '../../pass.ts';
import { asHalf } from '../as-half.ts';
import { packLevels } from '../int4-levels.ts';
import type { QuantizeOptions } from '../scheme.ts';
import type { GptqMatrix } from './gptq-matrix.ts';
import { repair } from './repair.ts';

/** The plan with the matrices of layers rounded on calibration text, and what was refitted around them. What has no layer stays rounded to nearest. */
export async function planGptq(
  anatomy: Anatomy,
  plain: Plan,
  { symmetric }: QuantizeOptions,
  context: PassContext,
): Promise<Plan> {
  const calibration = await calibrationOf(context, 'rounding: gptq');
  const tables = new Set(anatomy.tables.map(({ weight }) => weight.name));
  const before = plain.edits.filter(
    edit => 'target' in edit && 'weight' in edit.target && tables.has(edit.target.weight?.name ?? ''),
  );
  const byName = new Map(
    plain.edits.flatMap(edit => (edit.kind === 'quantize-blocks' ? [[edit.target.weight.name, edit] as const] : [])),
  );
  const formOf = (name: string) => {
    const edit = byName.get(name);
    return edit && { bits: edit.bits, group: edit.blockSize, symmetric };
  };
  const { matrices, replacements } = await repair(calibration, anatomy, formOf, before, context);
  const edits = plain.edits.map((edit): Edit => {
    const matrix =
      edit.kind === 'quantize-blocks' && !tables.has(edit.target.weight.name) && matrices.get(edit.target.weight.name);
    return matrix ? rounded(edit, matrix) : edit;
  });
  return { edits: [...replacements, ...edits], skipped: plain.skipped };
}

function rounded(edit: QuantizeBlocksEdit, { level_OI, scale_OG, zero_OG }: GptqMatrix): QuantizeBlocksEdit {
  const [channels = 0, blocks = 0] = edit.scale.shape;
  const { bits, blockSize } = edit;
  const [wide, full] = [level_OI.length / channels, blocks * blockSize];
  const levels = new Uint8Array(channels * full);
  for (let o = 0; o < channels; o++) {
    levels.fill(zero_OG[(o + 1) * blocks - 1]!, o * full + wide, (o + 1) * full);
    levels.set(level_OI.subarray(o * wide, (o + 1) * wide), o * full);
  }
  const scale = held('scale', 'fp32', edit.scale.shape, scale_OG);
  return {
    ...edit,
    values: held('values', 'uint8', edit.values.shape, packLevels(levels, channels, full, bits)),
    scale: edit.scale.dtype === 'fp16' ? asHalf(scale) : scale,
    ...(edit.zeroPoint && {
      zeroPoint: held('zeroPoint', 'uint8', edit.zeroPoint.shape, packLevels(zero_OG, channels, elementCount([blocks]), bits)),
    }),
  };
}
