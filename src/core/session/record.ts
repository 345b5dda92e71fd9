import { fail } from '../errors.ts';
import type { KeptRecord, Session, SessionOptions } from './types.ts';

/** What was kept beside the model as NAME.headroom.json, and whether the model is still that one. */
export async function record(_path: string, _options: SessionOptions = {}): ReturnType<Session['record']> {
  return null;
}

/** Writes NAME.headroom.json beside the model: what is given joins what is there already. */
export async function keepRecord(..._given: Parameters<Session['keepRecord']>): Promise<KeptRecord> {
  throw fail('unsupported', 'A report cannot be kept yet.');
}
