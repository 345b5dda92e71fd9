import { sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { Plan } from '../pass.ts';

/** The answer of a scheme that stores operators as well as numbers. */
export const graphsOnly = (model: Model, scheme: string): Plan => {
  const reason = sentence('{scheme} is a form of ONNX graphs. For a safetensors model choose int8.', { scheme });
  return { edits: [], skipped: [{ target: model.name, reason }] };
};
