import type { Failure } from '../../../../src/protocol/messages.ts';
import { say } from '../../../l10n.ts';
import { type Entry, isTensor } from '../../../layout/model-index.ts';

/** The tensor whose insides are shown. */
export interface Subject {
  /** In the file. */
  readonly name: string;
  readonly entry: Entry;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** The tensor of a row; of an organ whose children are all tensors, the largest of them: its weight. */
export function subjectOf(entry: Entry): Subject | undefined {
  if (isTensor(entry.node)) {
    const { tensors, shape, byteLength } = entry.node;
    return tensors?.[0] === undefined || !shape ? undefined : { name: tensors[0], entry, shape, byteLength };
  }
  if (!entry.children.length || !entry.children.every(child => isTensor(child.node))) return undefined;
  const largest = entry.children.reduce((most, child) => (child.node.byteLength > most.node.byteLength ? child : most));
  return entry.node.shape ? subjectOf(largest) : undefined;
}

/** A failed call as one line: what, and what to do. */
export const failureText = ({ sentence, hint }: Failure): string =>
  [sentence, hint]
    .map(part => (part ? say(part) : ''))
    .join(' ')
    .trim();
