import type { HeatMap, Window } from '../../../../src/protocol/messages.ts';
import { t } from '../../../l10n.ts';
import { heightOf, widthOf } from '../../../layout/heat-window.ts';
import { real } from '../../../numbers.ts';

/** Both ends of the scale, and what a colour stands for. */
export function HeatLegend({ map }: { map: HeatMap }) {
  const most = Math.max(Math.abs(map.from), Math.abs(map.to));
  const [from, to] = map.exact ? [-most, most] : [map.from, map.to];
  const absent = map.cells.includes(null);
  return (
    <figcaption class="scale">
      <span>{real(from)}</span>
      <span class={`ramp ${map.exact ? 'diverging' : ''}`} aria-hidden="true" />
      <span>{real(to)}</span>
      <span class="grow" />
      {absent && (
        <>
          <span class="swatch absent" aria-hidden="true" />
          <span class="clip">{t('not finite')}</span>
        </>
      )}
      <span class="clip" title={map.exact ? undefined : t('Root mean square of the values in a block')}>
        {blockText(map)}
      </span>
    </figcaption>
  );
}

function blockText(map: HeatMap): string {
  if (map.exact) return t('single values');
  const size = (all: number, cells: number): string => real(all / cells < 10 ? all / cells : Math.round(all / cells), 2);
  return t('RMS, blocks of {rows} × {columns}', {
    rows: size(heightOf(map.window), map.rows),
    columns: size(widthOf(map.window), map.columns),
  });
}

/** "rows 0 to 383, columns 0 to 383" */
export function windowText({ matrix }: HeatMap, { top, bottom, left, right }: Window): string {
  const rows = t('rows {from} to {to}', { from: top, to: bottom - 1 });
  const columns = t('columns {from} to {to}', { from: left, to: right - 1 });
  return matrix.rows === 1 ? columns : `${rows}, ${columns}`;
}
