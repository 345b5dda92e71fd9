import type { Redundancy, Saving } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { markdownOf, type TextColumn } from '../../layout/flat-table.ts';
import { visibleName } from '../../layout/names.ts';
import { fullRank } from '../../layout/spectrum-plot.ts';
import { bytesText, changeShare, cosine } from '../../numbers.ts';
import { factsOf } from './facts.tsx';
import { optionsText } from './words.ts';

interface Results {
  readonly name: string;
  readonly redundancy: Redundancy;
  readonly savings: readonly Saving[];
  readonly fileBytes: number;
}

/** Repeats in a note that a person reads; all of them are copied with their own table. */
const mostRepeats = 50;

/** The results as a document to take along. */
export function reportOf(results: Results): string {
  const { name, redundancy, savings, fileBytes } = results;
  const column = <Row>(title: string, text: (row: Row) => string, numeric = false): TextColumn<Row> => ({
    ...{ key: title, title, numeric },
    value: text,
    text,
  });
  const part = (title: string, body: string): string[] => [`## ${title}`, '', body.trimEnd(), ''];
  return [
    `# ${t('Redundancy in {name}', { name: visibleName(name) })}`,
    '',
    ...factsOf(results).map(({ number, what }) => `- ${number} ${what}`),
    '',
    ...part(
      t('What would it save'),
      markdownOf<Saving>(
        [
          column(t('Command'), it => say(it.title)),
          column(t('Options'), it => [optionsText(it.options), it.reason && say(it.reason)].filter(Boolean).join(': ')),
          column(t('After'), it => (it.fileBytes === undefined ? '' : bytesText(it.fileBytes)), true),
          column(t('Change'), it => (it.fileBytes === undefined ? '' : changeShare(fileBytes, it.fileBytes)), true),
        ],
        savings,
      ),
    ),
    ...part(
      t('Rank of the matrices'),
      markdownOf<Redundancy['spectra'][number]>(
        [
          column(t('Matrix'), it => it.id),
          column(t('Shape'), it => `${it.out}x${it.in}`, true),
          column('90 %', it => String(it.rank90), true),
          column('95 %', it => String(it.rank95), true),
          column('99 %', it => String(it.rank99), true),
          column(t('Full rank'), it => String(fullRank(it)), true),
          column(t('Break-even'), it => String(it.breakEven), true),
        ],
        redundancy.spectra,
      ),
    ),
    ...(redundancy.repeats.length > 0
      ? part(
          t('Tensors that stand twice'),
          markdownOf<Redundancy['repeats'][number]>(
            [
              column(t('Tensor'), it => visibleName(it.tensor)),
              column(t('Like'), it => visibleName(it.of)),
              column(t('Cosine'), it => cosine(it.cosine), true),
              column(t('Bytes'), it => String(it.byteLength), true),
            ],
            redundancy.repeats.slice(0, mostRepeats),
          ),
        )
      : []),
  ].join('\n');
}
