import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { RemoveHeadsEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function removeHeads({ model }: Body, _edits: readonly RemoveHeadsEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
