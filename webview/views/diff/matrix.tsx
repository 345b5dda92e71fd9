import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComparisonNode } from '../../../src/core/report/comparison.ts';
import type { DiffHostApi, HeatMap, MatrixDiff } from '../../../src/protocol/messages.ts';
import type { Remote } from '../../../src/protocol/rpc.ts';
import { TextField } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import { headBands, mostCells } from '../../layout/heat-window.ts';
import { real, shape, share } from '../../numbers.ts';
import { HeatCanvas } from '../editor/inside/heat-canvas.tsx';
import { Progress } from '../editor/inside/progress.tsx';
import { type Readings, useReading } from '../editor/inside/reading.ts';
import { Levels } from './levels.tsx';

export interface MatrixProps {
  readonly node: ComparisonNode;
  readonly api: Pick<Remote<DiffHostApi>, 'matrixDiff'>;
  readonly readings: Readings;
}

/** CSS pixels of a heat map's longer side. */
const side = 150;
/** More than this is read when asked for only. */
const mostBytes = 100e6;

/** Is there one matrix or table on both sides of this row? */
export const hasMatrix = ({ kind, id, change, before, after, children, error }: ComparisonNode): boolean =>
  change !== 'same' &&
  before !== null &&
  after !== null &&
  (error !== undefined || kind === 'linear' || id.endsWith('.weight')) &&
  !(children ?? []).some(child => child.kind !== 'tensor' && child.kind !== 'linear') &&
  (before.shape?.length ?? 2) >= 2;

/** A matrix before, after, and what is between them; the values of a channel among the levels it has left. */
export function Matrix({ node, api, readings }: MatrixProps) {
  const [channel, setChannel] = useState<number | undefined>(undefined);
  const id = node.id;
  const request = { rows: mostCells, columns: mostCells, ...(channel !== undefined && { channel }) };
  const byteLength = (node.before?.byteLength ?? 0) + (node.after?.byteLength ?? 0);
  const { reading, start, cancel } = useReading({
    key: `${id} ${channel ?? 'worst'}`,
    read: options => api.matrixDiff(id, request, options),
    readings,
    automatic: byteLength <= mostBytes,
  });
  const known = useLatest(id, reading.state === 'done' ? reading.value : undefined);
  if (!known)
    return reading.state === 'done' ? null : (
      <div class="matrix">
        <Progress reading={reading} byteLength={byteLength} onStart={start} onCancel={cancel} />
      </div>
    );
  return (
    <div class="matrix">
      <Maps diff={known} />
      <Channel diff={known} onChannel={setChannel} />
    </div>
  );
}

/** While another channel is read the last answer stays. */
function useLatest(id: string, value: MatrixDiff | null | undefined): MatrixDiff | null | undefined {
  const [latest, setLatest] = useState<{ id: string; value: MatrixDiff | null | undefined }>({ id, value });
  if (value !== undefined && (latest.value !== value || latest.id !== id)) setLatest({ id, value });
  return value ?? (latest.id === id ? latest.value : undefined);
}

/** Original and compressed share a scale; the difference has its own. */
function Maps({ diff: { before, after, difference } }: { diff: MatrixDiff }) {
  const [from, to] = [Math.min(before.from, after.from), Math.max(before.to, after.to)];
  const longest = Math.max(before.matrix.rows, before.matrix.columns, after.matrix.rows, after.matrix.columns);
  const view = (title: string, map: HeatMap, note?: string) => (
    <MatrixMap title={title} map={map} longest={longest} note={note ?? shape([map.matrix.rows, map.matrix.columns])} />
  );
  return (
    <>
      {view(t('Original'), { ...before, from, to })}
      {view(t('Compressed, as it acts'), { ...after, from, to })}
      {difference ? (
        view(t('Difference'), difference, t('a scale of its own'))
      ) : (
        <p class="muted small aside">{t('No difference is drawn: the two have not the same shape.')}</p>
      )}
    </>
  );
}

function MatrixMap({ title, map, longest, note }: { title: string; map: HeatMap; longest: number; note: string }) {
  const { rows, columns } = map.matrix;
  // Thin matrices keep enough to be seen.
  const [width, height] = [columns, rows].map(each => Math.max(12, Math.round((side * each) / longest))) as [number, number];
  const bands = useMemo(() => headBands(map, map.window), [map]);
  const [from, to] = map.exact ? [-Math.max(-map.from, map.to), Math.max(-map.from, map.to)] : [map.from, map.to];
  const args = { title, rows, columns, from: real(from, 2), to: real(to, 2) };
  return (
    <figure>
      <h3>{title}</h3>
      <div
        role="img"
        aria-label={t('{title}: {rows} rows by {columns} columns, from {from} to {to}.', args)}
        title={map.exact ? t('single values') : t('Root mean square of the values in a block')}
      >
        <HeatCanvas map={map} window={map.window} bands={bands} axis={map.heads?.axis} width={width} height={height} />
      </div>
      <figcaption class="small muted">{note}</figcaption>
      <div class="scale">
        <span>{real(from, 2)}</span>
        <span class={`ramp ${map.exact ? 'diverging' : ''}`} aria-hidden="true" />
        <span>{real(to, 2)}</span>
      </div>
    </figure>
  );
}

/** All values before, and the levels of one channel after. */
function Channel({ diff, onChannel }: { diff: MatrixDiff; onChannel: (channel: number | undefined) => void }) {
  const { worst, channel, channels, levels } = diff;
  const [text, setText] = useState(String(channel));
  useEffect(() => setText(String(channel)), [channel]);
  const choose = (typed: string): void => {
    const asked = Number(typed);
    if (typed.trim() === '') onChannel(undefined);
    else if (Number.isInteger(asked) && asked >= 0 && asked < channels) onChannel(asked);
  };
  return (
    <figure class="levels">
      <h3>{t('Values and the levels they may take')}</h3>
      <Levels diff={diff} />
      <figcaption class="small muted">
        {levels
          ? t('Grey: all values before. Blue: channel {channel} after, each line one of its {n} levels.', {
              channel: String(channel),
              n: levels.length,
            })
          : t('Grey: all values before. Channel {channel} has no levels after: its values are too many.', {
              channel: String(channel),
            })}{' '}
        {worst &&
          t('The worst channel is {channel}: error {error}.', {
            channel: String(worst.channel),
            error: share(worst.relative, 2),
          })}
      </figcaption>
      <div class="row small">
        <span class="muted">{t('Channel')}</span>
        <TextField
          class="short"
          label={t('Channel')}
          value={text}
          onInput={setText}
          onChange={choose}
          onKeyDown={event => event.key === 'Enter' && choose(text)}
        />
        {worst && worst.channel !== channel && (
          <button type="button" class="link" onClick={() => onChannel(undefined)}>
            {t('the worst')}
          </button>
        )}
      </div>
    </figure>
  );
}
