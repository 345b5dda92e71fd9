import { type Sentence, say } from '../../errors.ts';

/** The language a document is written in: how it says a sentence, and how it groups digits. */
export interface Voice {
  readonly locale: string;
  say(sentence: Sentence): string;
}

export const english: Voice = { locale: 'en', say: sentence => say(sentence) };
