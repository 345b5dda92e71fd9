import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { RemoveHiddenEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function removeHidden({ model }: Body, _edits: readonly RemoveHiddenEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
