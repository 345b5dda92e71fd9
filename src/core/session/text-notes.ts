import type { Sentence } from '../errors.ts';
import { drawnIds } from '../evaluation/notes.ts';
import { findTokenizer } from '../evaluation/tokenize/find.ts';
import type { Opened } from './open.ts';
import { folderOf } from './subject.ts';

/** What is to be said of a model that is run on text. */
export async function textNotes(input: Opened): Promise<Sentence[]> {
  return (await findTokenizer(folderOf(input))) ? [] : [drawnIds(input.model.name)];
}
