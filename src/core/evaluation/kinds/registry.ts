import type { TaskKind } from '../task.ts';
import { classification } from './classification.ts';
import type { Kind } from './kind.ts';
import { maskedLanguage } from './masked-language.ts';
import { plain } from './plain.ts';
import { questionAnswering } from './question-answering.ts';
import { similarity } from './similarity.ts';
import { tokenClassification } from './token-classification.ts';

export const kinds: Readonly<Record<TaskKind, Kind>> = {
  similarity,
  classification,
  'question-answering': questionAnswering,
  'token-classification': tokenClassification,
  'masked-language': maskedLanguage,
  text: plain,
};
