import { fail } from '../errors.ts';
import type { AttentionMaps } from '../evaluation/report.ts';
import type { AttentionRequest, SessionOptions } from './types.ts';

/** Runs one text and gives the attention of every head of a layer. */
export async function attention(
  _path: string,
  _request: AttentionRequest,
  _options: SessionOptions = {},
): Promise<AttentionMaps> {
  throw fail('unsupported', 'Attention cannot be shown yet.');
}
