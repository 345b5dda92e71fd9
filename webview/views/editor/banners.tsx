import type { Summary } from '../../../src/core/report/tree.ts';
import type { EditorView } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { Banner } from '../banner.tsx';
import { KeptBanner } from '../measure/kept-banner.tsx';
import { HeadCount } from './head-count.tsx';

export interface BannersProps {
  readonly summary: Summary;
  readonly changedOnDisk: boolean;
  readonly deleted: boolean;
  readonly onReload: () => void;
  readonly onHeads: (heads: number) => Promise<void>;
  readonly kept: Extract<EditorView, { state: 'ready' }>['kept'] | undefined;
  readonly onOpenMeasured: () => void;
}

/** What is unusual about this file, most urgent first. */
export function Banners({ summary, changedOnDisk, deleted, onReload, onHeads, kept, onOpenMeasured }: BannersProps) {
  const { model, warnings } = summary;
  const reload = <Button onClick={onReload}>{t('Reload')}</Button>;
  return (
    <div class="banners">
      {deleted && <Banner>{t('This file was deleted. What was read from it is still shown.')}</Banner>}
      {changedOnDisk && !deleted && (
        <Banner action={reload}>{t('Changed on disk. What is shown was read before the change.')}</Banner>
      )}
      {!model.complete && warnings.length === 0 && (
        <Banner>{t('Some of the files of this model are missing, so its sizes are not complete.')}</Banner>
      )}
      {warnings.map(warning => (
        <Banner
          key={warning.message}
          action={warning.code === 'heads-unknown' && <HeadCount disabled={deleted} onState={onHeads} />}
        >
          {visibleName(say(warning.sentence), 2000)}
        </Banner>
      ))}
      {model.notBert && <Banner icon="info">{visibleName(say(model.notBert), 2000)}</Banner>}
      {kept && <KeptBanner kept={kept} onOpen={onOpenMeasured} />}
    </div>
  );
}
