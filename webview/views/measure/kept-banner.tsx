import type { EditorView, KeptRecord } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { cosine } from '../../numbers.ts';
import { Banner } from '../banner.tsx';
import { agreementText, taskWord, whenWord } from './words.ts';

type Kept = NonNullable<Extract<EditorView, { state: 'ready' }>['kept']>;

/** What was measured of this model the last time, or that its record cannot be read. */
export function KeptBanner({ kept, onOpen }: { kept: Kept; onOpen: () => void }) {
  if ('failure' in kept) {
    const { file, sentence, hint } = kept.failure;
    const said = [`${file ? `${visibleName(file)}: ` : ''}${say(sentence)}`, hint && say(hint)].filter(Boolean).join(' ');
    return <Banner>{said}</Banner>;
  }
  const newest = kept.record.evaluations[0];
  if (!newest) return null;
  const action = newest.against && <Button onClick={onOpen}>{t('Open the comparison')}</Button>;
  return (
    <Banner icon={kept.changed ? 'warning' : 'info'} action={action}>
      {said(newest)}
      {kept.changed && ` ${t('The model has changed since.')}`}
    </Banner>
  );
}

function said({ at, against, evaluation }: KeptRecord['evaluations'][number]): string {
  const { drift, task } = evaluation;
  const when = { when: whenWord(at), task: taskWord(task) };
  if (against !== null && drift?.cosineMean != null)
    return t('Measured on {when}, {task}: cosine {mean} to {other}, worst {min}.', {
      ...when,
      mean: cosine(drift.cosineMean),
      min: drift.cosineMin === null ? '–' : cosine(drift.cosineMin),
      other: visibleName(against, 80),
    });
  if (against !== null && drift?.agreement != null)
    return t('Measured on {when}, {task}: {share} of the predictions are those of {other}.', {
      ...when,
      share: agreementText(drift.agreement),
      other: visibleName(against, 80),
    });
  return t('Measured on {when}, {task}.', when);
}
