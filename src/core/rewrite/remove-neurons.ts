import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { RemoveNeuronsEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function removeNeurons({ model }: Body, _edits: readonly RemoveNeuronsEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
