import { type Sentence, sentence } from '../errors.ts';
import type { Measured } from './report.ts';

/** What a person must know to read a model's figures. */
export function notesOf({ file, cut, nonFinite, tokenizer }: Measured, maxLength: number): Sentence[] {
  return [
    ...(tokenizer === 'seed' ? [drawnIds(file)] : []),
    ...(cut > 0
      ? [
          sentence('{file}: {count} texts were longer than {length} tokens and were cut.', {
            file,
            count: cut,
            length: maxLength,
          }),
        ]
      : []),
    ...(nonFinite > 0
      ? [sentence('{file}: the outputs of {count} texts hold NaN or infinity.', { file, count: nonFinite })]
      : []),
  ];
}

/** Of a model without a tokenizer. */
export const drawnIds = (file: string): Sentence =>
  sentence(
    '{file}: there is no tokenizer beside the model, so ids were drawn by chance. Only how far outputs moved is measured.',
    {
      file,
    },
  );
