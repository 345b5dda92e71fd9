import { useEffect, useState } from 'preact/hooks';
import type { Made, ProgressEvent } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, share } from '../../numbers.ts';
import { LeftAlone } from './how-made.tsx';

/** Work shorter than this is not announced. */
const patienceMs = 200;

/** Both models are read and their weights compared: what is being read, and how far it is. */
export function Opening({ progress }: { progress: ProgressEvent | null }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  const percent = progress?.fraction === undefined ? undefined : Math.floor(progress.fraction * 100);
  return (
    <section class="opening" aria-busy="true" aria-label={t('Comparing')}>
      <div class="prog">{late && (percent === undefined ? <i /> : <b style={{ width: `${percent}%` }} />)}</div>
      <p class="muted small now">
        {late && progress && (
          <>
            <bdi>{visibleName(progress.what, 120)}</bdi>
            {progress.bytesTotal
              ? ` · ${t('{done} of {total}', { done: bytesText(progress.bytesDone ?? 0), total: bytesText(progress.bytesTotal) })}`
              : percent !== undefined && ` · ${share(progress.fraction!, 0)}`}
          </>
        )}
      </p>
      <div class="ghosts" aria-hidden="true">
        {[64, 42, 48, 40, 58, 44, 44, 44, 44, 44].map((width, index) => (
          <div class="sk" key={index} style={{ width: `${width / 2}%`, marginLeft: `${index % 5 === 0 ? 0 : 16}px` }} />
        ))}
      </div>
      <p class="sr" aria-live="polite">
        {late && percent !== undefined ? t('Comparing, {n} percent', { n: Math.floor(percent / 10) * 10 }) : ''}
      </p>
    </section>
  );
}

/** Every tensor is the same: said once, with what was left alone and why. */
export function NothingChanged({ total, made, onShow }: { total: number; made: Made | null; onShow: () => void }) {
  return (
    <section class="state nothing">
      <Icon name="info" />
      <h2 class="title">{t('Nothing changed')}</h2>
      <p>{t('All {n} tensors are the same on both sides, byte for byte.', { n: total })}</p>
      {made && made.report.skipped.length > 0 && <LeftAlone skipped={made.report.skipped} />}
      <div class="row">
        <Button onClick={onShow}>{t('Show all tensors')}</Button>
      </div>
    </section>
  );
}
