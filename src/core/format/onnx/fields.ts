import type { ByteSource } from '../../bytes/source.ts';
import { type FieldPlace, type Message, walk } from './walk.ts';
import type { Run } from './wire-types.ts';

/** The fields of the message that the field [start, end) holds, one run each. */
export async function fieldsWithin(source: ByteSource, start: number, end: number): Promise<Run[]> {
  const inner: Message<Run[]> = {
    rules: {},
    begin: () => [],
    field: (runs: Run[], _: unknown, at: FieldPlace) => {
      runs.push({ number: at.number, start: at.tag, end: at.end });
    },
  };
  let found: Run[] = [];
  const outer: Message<null> = {
    rules: { 1: inner as Message<never>, 5: inner as Message<never> },
    begin: () => null,
    field: (_, value) => {
      found = value as Run[];
    },
  };
  await walk(source, outer, start, end);
  return found;
}
