import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { RemoveLayersEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function removeLayers({ model }: Body, _edits: readonly RemoveLayersEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
