import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { ShareEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function shareLayers({ model }: Body, _edits: readonly ShareEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
