import { useEffect, useState } from 'preact/hooks';
import type { ProgressEvent, RedundancyEvents, RedundancyHostApi, RedundancyView } from '../../../src/protocol/messages.ts';
import { connectHost } from '../../bridge.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText } from '../../numbers.ts';
import { Found } from './found.tsx';

const { api, on } = connectHost<RedundancyHostApi, RedundancyEvents>();

/** Where a model repeats itself: nothing is read before the person asks. */
export function RedundancyPage() {
  const [view, setView] = useState<RedundancyView | null>(null);
  const [progress, setProgress] = useState<ProgressEvent | null>(null);
  useEffect(() => {
    const stops = [on('view', setView), on('progress', setProgress)];
    void api.view().then(setView, () => undefined);
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  if (!view) return <main aria-busy="true" />;
  return (
    <main class="redundancy">
      <header class="hdr">
        <h1>
          <bdi>{visibleName(view.name)}</bdi>
        </h1>
        <span class="what">{t('Where this model repeats itself')}</span>
        <span class="tot">
          <b>{bytesText(view.fileBytes)}</b>
        </span>
      </header>
      {view.changedOnDisk && (
        <div class="banner" role="status">
          <span class="grow">{t('Changed on disk')}</span>
          <Button onClick={() => void api.reload()}>{t('Reload')}</Button>
        </div>
      )}
      {view.state === 'idle' && <Idle fileBytes={view.fileBytes} />}
      {view.state === 'running' && <Running progress={progress ?? view.progress} />}
      {view.state === 'failed' && (
        <section class="state err" role="alert">
          <Icon name="error" />
          <p>{say(view.failure.sentence)}</p>
          {view.failure.hint && <p class="muted">{say(view.failure.hint)}</p>}
          <div class="row">
            <Button onClick={() => void api.run()}>{t('Try again')}</Button>
            <Button onClick={() => void api.showLog()}>{t('Show log')}</Button>
          </div>
        </section>
      )}
      {view.state === 'ready' && (
        <Found
          redundancy={view.redundancy}
          savings={view.savings}
          fileBytes={view.fileBytes}
          onTry={(pass, options) => void api.openCompress(pass, options)}
        />
      )}
    </main>
  );
}

function Idle({ fileBytes }: { fileBytes: number }) {
  return (
    <section class="state">
      <h2 class="title">{t('Find what could be saved')}</h2>
      <p>{t('Every weight is read once: ranks of the matrices, layers and heads that are alike, tensors that stand twice.')}</p>
      <div class="row">
        <Button kind="primary" onClick={() => void api.run()}>
          {t('Read {size}', { size: bytesText(fileBytes) })}
        </Button>
      </div>
    </section>
  );
}

function Running({ progress }: { progress: ProgressEvent | null }) {
  const percent = Math.floor(100 * (progress?.fraction ?? 0));
  return (
    <section class="state" aria-busy="true">
      <h2 class="title">{t('Reading the weights')}</h2>
      <div class="meter" role="progressbar" aria-label={t('Reading the weights')} aria-valuenow={percent}>
        <i style={{ width: `${percent}%` }} />
      </div>
      <p class="muted small clip">
        <bdi>{visibleName(progress?.what ?? '', 120)}</bdi>
      </p>
      <div class="row">
        <Button onClick={() => void api.cancel()}>{t('Cancel')}</Button>
      </div>
    </section>
  );
}
