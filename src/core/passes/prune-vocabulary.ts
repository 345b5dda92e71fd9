import { fail, sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { planVocabulary } from './vocabulary/plan-vocabulary.ts';

export const pruneVocabulary = definePass({
  id: 'prune-vocabulary',
  title: sentence('Prune the vocabulary'),
  summary: sentence(
    'Keep the rows of the words that are used, and rewrite the tokenizer: what uses these words only gives the same outputs.',
  ),
  source: 'Abdaoui et al., Load What You Need: Smaller Versions of Multilingual BERT, SustaiNLP 2020; TextPruner',
  needs: ['weights'],
  fields: {
    keep_from: {
      kind: 'file',
      label: sentence('Keep what a text uses'),
      help: sentence('A text file: every token it is cut into stays.'),
      default: '',
    },
    keep: {
      kind: 'file',
      label: sentence('Keep these tokens'),
      help: sentence('A text file with a token a line, as the tokenizer writes it.'),
      default: '',
    },
    keep_first: {
      kind: 'number',
      label: sentence('Keep the first tokens'),
      help: sentence('How many, with no text at hand: many vocabularies begin with what is frequent.'),
      default: null,
      min: 1,
      max: 10_000_000,
      step: 1,
    },
  },
  suggestions: [{ keep_first: 16_000 }, { keep_first: 8_000 }],
  plan(anatomy, options, context) {
    if (options.keep_from === '' && options.keep === '' && options.keep_first === null)
      throw fail(
        'bad-recipe',
        'What to keep is not said: give {one} or {other}.',
        { one: 'keep_from', other: 'keep' },
        { file: context.model.name },
      );
    return planVocabulary(anatomy, options, context);
  },
});
