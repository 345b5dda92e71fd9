import { useEffect, useState } from 'preact/hooks';
import type { ProgressEvent, RedundancyEvents, RedundancyHostApi, RedundancyView } from '../../../src/protocol/messages.ts';
import { connectHost } from '../../bridge.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { bytesText, exactBytes } from '../../numbers.ts';
import { Failed } from '../failed.tsx';
import { Menu } from '../menu.tsx';
import { Name } from '../name.tsx';
import { Working } from '../working.tsx';
import { Found } from './found.tsx';
import { reportOf } from './report.ts';

const { api, on } = connectHost<RedundancyHostApi, RedundancyEvents>();

/** Where a model repeats itself: nothing is read before the person asks. */
export function RedundancyPage() {
  const [view, setView] = useState<RedundancyView | null>(null);
  const [progress, setProgress] = useState<ProgressEvent | null>(null);
  const [told, tell] = useState('');
  useEffect(() => {
    const show = (next: RedundancyView): void => {
      setView(next);
      setProgress(null);
    };
    const stops = [on('view', show), on('progress', setProgress)];
    void api.view().then(show, () => undefined);
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  if (!view) return <main aria-busy="true" />;
  const said = (copying: Promise<void>): void =>
    void copying.then(
      () => tell(t('Copied')),
      () => undefined,
    );
  return (
    <main class="redundancy">
      <header class="hdr">
        <h1>
          <Name>{view.name}</Name>
        </h1>
        <span class="what">{t('Where this model repeats itself')}</span>
        <span class="tot">
          <b title={exactBytes(view.fileBytes)}>{bytesText(view.fileBytes)}</b>
        </span>
        {view.state === 'ready' && (
          <Menu
            label={t('More')}
            items={[
              { title: t('Copy as Markdown'), run: () => said(api.copyMarkdown(reportOf(view))) },
              { title: t('Look again'), run: () => void api.run() },
            ]}
          />
        )}
      </header>
      {view.changedOnDisk && (
        <div class="banner" role="status">
          <Icon name="warning" />
          <span class="grow">{t('Changed on disk')}</span>
          <Button onClick={() => void api.reload()}>{t('Reload')}</Button>
        </div>
      )}
      {view.state === 'idle' && <Idle fileBytes={view.fileBytes} cancelled={view.cancelled === true} />}
      {view.state === 'running' && (
        <Working
          title={t('Looking for what repeats')}
          progress={progress ?? view.progress}
          elapsedMs={view.elapsedMs ?? 0}
          onCancel={() => void api.cancel()}
        />
      )}
      {view.state === 'failed' && (
        <Failed failure={view.failure} onRetry={() => void api.run()} onLog={() => void api.showLog()} />
      )}
      {view.state === 'ready' && (
        <Found
          redundancy={view.redundancy}
          savings={view.savings}
          fileBytes={view.fileBytes}
          tryStep={step => api.tryStep(step)}
          askOutputs={(id, following) => api.outputSpectrum(id, following)}
          onTry={(pass, options) => void api.openCompress(pass, options)}
          onCopy={text => said(api.copyText(text))}
        />
      )}
      <p class="sr" role="status">
        {told}
      </p>
    </main>
  );
}

function Idle({ fileBytes, cancelled }: { fileBytes: number; cancelled: boolean }) {
  return (
    <section class="state">
      {cancelled && (
        <p class="muted" role="status">
          {t('Cancelled.')}
        </p>
      )}
      <h2 class="title">{t('Find what could be saved')}</h2>
      <p>
        {t(
          'Reads every weight: ranks of the matrices, layers and heads that are alike, tensors and words that stand twice, weights near zero. Then tries each command without writing anything.',
        )}
      </p>
      <div class="row">
        <Button kind="primary" onClick={() => void api.run()}>
          {t('Read {size}', { size: bytesText(fileBytes) })}
        </Button>
      </div>
    </section>
  );
}
