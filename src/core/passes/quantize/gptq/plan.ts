import { type Anatomy, linearsIn } from '../../../anatomy/anatomy.ts';
import { sentence } from '../../../errors.ts';
import { elementCount } from '../../../tensor/tensor.ts';
import { calibrationOf } from '../../calibration-of.ts';
import { held } from '../../computed.ts';
import type { Edit, PassContext, Plan, QuantizeBlocksEdit } from '../../pass.ts';
import { asHalf } from '../as-half.ts';
import { packLevels } from '../int4-levels.ts';
import type { QuantizeOptions } from '../scheme.ts';
import type { GptqMatrix } from './gptq-matrix.ts';
import { repair } from './repair.ts';
import { isShared, replacedIn } from './replaced.ts';

/** The plan with the matrices of layers rounded on calibration text, and what was refitted around them. What has no layer stays rounded to nearest. */
export async function planGptq(
  anatomy: Anatomy,
  plain: Plan,
  { symmetric }: QuantizeOptions,
  context: PassContext,
): Promise<Plan> {
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
  const shared = anatomy.layers.filter(layer => layer.stored === layer.index && isShared(layer, anatomy));
  const reason = sentence('Several layers share its weights: they are rounded to nearest.');
  const half = anatomy.layers.flatMap(linearsIn).find(({ weight }) => weight.dtype !== 'fp32' && formOf(weight.name));
  if (half) {
    const told = sentence('GPTQ runs the model in fp32, and this one is {dtype}: it is rounded to nearest.', {
      dtype: half.weight.dtype,
    });
    return { ...plain, skipped: [...plain.skipped, { target: context.model.name, reason: told }] };
  }
  const skipped = [...plain.skipped, ...shared.map(({ index }) => ({ target: `encoder.layer.${index}`, reason }))];
  if (anatomy.layers.every(layer => isShared(layer, anatomy))) return { ...plain, skipped };
  // Sizes are known without text: levels as many as they were, biases and norms replaced by themselves.
  if (context.dryRun) return { skipped, edits: [...replacedIn(anatomy, formOf, before.length > 0), ...plain.edits] };
  const calibration = await calibrationOf(context, 'rounding: gptq');
  const { matrices, replacements, unseen } = await repair(calibration, anatomy, formOf, before, context);
  const edits = plain.edits.map((edit): Edit => {
    const matrix =
      edit.kind === 'quantize-blocks' && !tables.has(edit.target.weight.name) && matrices.get(edit.target.weight.name);
    return matrix ? rounded(edit, matrix) : edit;
  });
  const hidden = sentence('The graph does not show what goes into it and comes out: it is rounded to nearest.');
  return { edits: [...replacements, ...edits], skipped: [...skipped, ...unseen.map(target => ({ target, reason: hidden }))] };
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
