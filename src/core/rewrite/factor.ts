import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { FactorEdit } from '../passes/pass.ts';
import type { Body } from './apply.ts';

export function factor({ model }: Body, _edits: readonly FactorEdit[]): Model {
  throw fail('unsupported', 'This change cannot be written yet.', {}, { file: model.name });
}
