import { useEffect, useState } from 'preact/hooks';
import type { DiffEvents, DiffHostApi, DiffView } from '../../../src/protocol/messages.ts';
import { connectHost } from '../../bridge.ts';
import { t } from '../../l10n.ts';
import { Failed } from '../failed.tsx';
import { Header } from './header.tsx';
import { Report } from './report.tsx';
import { Opening } from './states.tsx';

const { api, on } = connectHost<DiffHostApi, DiffEvents>();

/** The diff panel in whichever state the host says it is. */
export function DiffPage() {
  const [view, setView] = useState<DiffView | null>(null);
  useEffect(() => {
    const stops = [
      on('view', setView),
      on('measurement', measurement => setView(now => (now?.state === 'ready' ? { ...now, measurement } : now))),
    ];
    void api.view().then(setView, () => undefined);
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  if (!view) return <main aria-busy="true" />;
  if (view.state === 'ready')
    return <Report key={`${view.comparison.names.before}\n${view.comparison.names.after}`} view={view} api={api} />;
  return (
    <main class="diff">
      <Header names={view.names} made={null} />
      {view.state === 'opening' ? (
        <Opening progress={view.progress} />
      ) : (
        <Failed
          title={t('These models could not be compared')}
          failure={view.failure}
          onRetry={() => void api.reload()}
          onLog={() => void api.showLog()}
        />
      )}
    </main>
  );
}
