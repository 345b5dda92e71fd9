import { useEffect, useState } from 'preact/hooks';
import type { Summary } from '../../../src/core/report/tree.ts';
import type { EditorView } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytes, count, exactBytes } from '../../numbers.ts';
import { Name } from '../name.tsx';
import { Header } from './header.tsx';
import { Toolbar } from './toolbar.tsx';

/** Milliseconds before a wait is shown as one. */
const patience = 200;

/** The page while the header is read: everything in its place, nothing in it. */
export function Opening({ view, width }: { view: Extract<EditorView, { state: 'opening' }>; width: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patience);
    return () => clearTimeout(timer);
  }, []);
  const nothing = (): void => {};
  return (
    <>
      <Header name={view.name}>
        <span class="muted">
          {view.byteLength === undefined ? t('Opening…') : t('Reading the header of {n} bytes', { n: view.byteLength })}
        </span>
      </Header>
      <Toolbar
        width={width}
        disabled
        measure="parameters"
        onMeasure={nothing}
        filter=""
        onFilter={nothing}
        onLeaveFilter={nothing}
        matches={undefined}
        tensors={undefined}
        onExpandAll={nothing}
        onCollapseAll={nothing}
        onQuantize={nothing}
        onCompress={nothing}
        onCompare={nothing}
        onRedundancy={nothing}
        onSensitivity={nothing}
        onCopyTable={nothing}
      />
      <div class="prog" {...(late && { role: 'progressbar', 'aria-label': t('Reading the header') })}>
        {late && <i />}
      </div>
      <div class="ice ghost" style={{ height: width < 560 ? '36px' : '72px' }} aria-hidden="true" />
      <div class="cols">
        <div class="ghosts" aria-hidden="true">
          {[90, 84, 150, 80, 120, 6, 70, 4, 110, 22, 110, 22, 110, 22, 110, 22, 90, 4].map((length, place) => (
            <i key={place} class="sk" style={{ width: `${length}px` }} />
          ))}
        </div>
      </div>
    </>
  );
}

/** A file that cannot be read: one sentence, where, what to do. */
export function Failed({
  view,
  onReload,
  onShowLog,
}: {
  view: Extract<EditorView, { state: 'failed' }>;
  onReload: () => void;
  onShowLog: () => void;
}) {
  const { failure } = view;
  const [first, rest] = firstSentence(visibleName(say(failure.sentence), 4000));
  const place = [
    failure.file && visibleName(failure.file),
    failure.offset !== undefined && t('byte {n}', { n: failure.offset }),
  ].filter(Boolean);
  const size = view.byteLength === undefined ? undefined : bytes(view.byteLength);
  return (
    <>
      <Header name={view.name}>
        {size && (
          <span title={exactBytes(view.byteLength!)}>
            <b>{size.value}</b> <span class="muted">{t('{unit} on disk', { unit: size.unit })}</span>
          </span>
        )}
      </Header>
      <div class="cols">
        <div class="state err" role="alert">
          <Icon name="error" />
          <h2>{first}</h2>
          {rest && <p>{rest}</p>}
          {place.length > 0 && <p class="small muted mono">{place.join(', ')}</p>}
          {failure.hint && <p>{say(failure.hint)}</p>}
          <div class="row">
            <Button kind="primary" onClick={onReload}>
              {t('Open again')}
            </Button>
            <Button onClick={onShowLog}>{t('Show log')}</Button>
          </div>
        </div>
      </div>
    </>
  );
}

/** A file that is read and holds no tensor. */
export function Empty({ name, file, onReload }: { name: string; file: Summary['file']; onReload: () => void }) {
  const { byteLength } = file;
  const { value, unit } = bytes(byteLength);
  return (
    <>
      <Header name={name}>
        <span>
          <b>{count(0)}</b> <span class="muted">{t('parameters')}</span>
        </span>
        <span title={exactBytes(byteLength)}>
          <b>{value}</b> <span class="muted">{unit}</span>
        </span>
      </Header>
      <div class="cols">
        <div class="state" role="status">
          <Icon name="file" />
          <h2>{t('No tensors in this file.')}</h2>
          <p>
            {file.format === 'onnx'
              ? t('Its graph is valid and holds no weights.')
              : t(
                  'The file is valid and lists nothing. Such files are written when a save is interrupted before the first tensor.',
                )}
          </p>
          <p class="small muted mono">
            <Name>{name}</Name>
          </p>
          <div class="row">
            <Button onClick={onReload}>{t('Open again')}</Button>
          </div>
        </div>
      </div>
    </>
  );
}

/** "This file is cut short." and the rest, in either language. */
function firstSentence(text: string): [string, string] {
  const end = /[.!?](?=\s)|。/.exec(text);
  return end ? [text.slice(0, end.index + 1), text.slice(end.index + 1).trim()] : [text, ''];
}
