import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { RemoveRowsEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function removeRows({ model }: Body, _edits: readonly RemoveRowsEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
