import { useEffect, useRef, useState } from 'preact/hooks';
import type { EditorHostApi, ProgressEvent } from '../../../../src/protocol/messages.ts';
import type { Remote } from '../../../../src/protocol/rpc.ts';
import { t } from '../../../l10n.ts';
import { visibleName } from '../../../layout/names.ts';
import { bytesText } from '../../../numbers.ts';
import { announce } from '../live.ts';
import { failureOf } from './reading.ts';
import { failureText } from './subject.ts';

/** Writes the whole tensor to a file of the person's choice; goes on when another row is selected, and is cancelled by its button only. */
export function Exports({
  api,
  name,
  onCopyStatistics,
}: {
  api: Remote<EditorHostApi>;
  name: string;
  /** Undefined while there are none. */
  onCopyStatistics: (() => void) | undefined;
}) {
  const [work, setWork] = useState<{ progress: ProgressEvent | null } | null>(null);
  const [told, setTold] = useState<{ text: string; failed: boolean } | null>(null);
  const controller = useRef<AbortController | null>(null);
  const alive = useRef(true);
  useEffect(
    () => () => {
      alive.current = false;
    },
    [],
  );
  const tell = (text: string, failed: boolean): void => {
    if (alive.current) setTold({ text, failed });
    if (!failed) announce(text);
  };
  const write = async (kind: 'npy' | 'csv'): Promise<void> => {
    const abort = new AbortController();
    controller.current = abort;
    setWork({ progress: null });
    setTold(null);
    const progress = (event: ProgressEvent): void => {
      if (alive.current) setWork({ progress: event });
    };
    try {
      const written = await api.exportTensor(name, kind, { signal: abort.signal, progress });
      if (written)
        tell(t('{file} written, {size}.', { file: fileName(written.out), size: bytesText(written.byteLength) }), false);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== 'cancelled') tell(visibleName(failureText(failure), 600), true);
    }
    if (alive.current) setWork(null);
  };
  const fraction = work?.progress?.fraction;
  return (
    <div class="exports">
      <div class="row">
        <button type="button" class="btn sm" disabled={work !== null} onClick={() => void write('npy')}>
          {t('Export .npy…')}
        </button>
        <button type="button" class="btn sm" disabled={work !== null} onClick={() => void write('csv')}>
          {t('Export CSV…')}
        </button>
        {onCopyStatistics && (
          <button type="button" class="btn sm" onClick={onCopyStatistics}>
            {t('Copy statistics')}
          </button>
        )}
        {work?.progress && (
          <button type="button" class="btn sm" onClick={() => controller.current?.abort()}>
            {t('Cancel')}
          </button>
        )}
      </div>
      {fraction !== undefined && (
        <div
          class="meter"
          role="progressbar"
          aria-label={t('Writing')}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(fraction * 100)}
        >
          <i style={{ width: `${fraction * 100}%` }} />
        </div>
      )}
      {told && (
        <p class={`small ${told.failed ? 'error' : 'muted'}`} role={told.failed ? 'alert' : undefined}>
          {told.text}
        </p>
      )}
    </div>
  );
}

const fileName = (path: string): string => visibleName(path.split(/[\\/]/).at(-1) ?? path, 120);
