import { passes } from '../passes/registry.ts';
import type { PassInfo } from './types.ts';

/** Every pass as forms, flags and documents need it. */
export const passInfos: readonly PassInfo[] = passes.map(({ id, title, summary, source, needs, fields }) => ({
  id,
  title,
  summary,
  source,
  needs,
  fields,
}));
