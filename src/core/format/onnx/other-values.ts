import type { ByteSource } from '../../bytes/source.ts';
import { addCopy, type Piece } from '../pieces.ts';
import { valueInfoMessage } from './value-message.ts';
import { type Message, walk } from './walk.ts';
import type { Run, WireValueInfo } from './wire-types.ts';

/** What a graph notes of its values (value_info), as it lies in the file, without the notes on those in `names`. */
export async function otherValues(source: ByteSource, runs: readonly Run[], names: ReadonlySet<string>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const values: Message<null> = {
    rules: { 13: valueInfoMessage as Message<never> },
    begin: () => null,
    field: (_, value, { tag, end }) => {
      if (!names.has((value as WireValueInfo).name)) addCopy(pieces, source, tag, end);
    },
  };
  for (const { number, start, end } of runs) if (number === 13) await walk(source, values, start, end);
  return pieces;
}
