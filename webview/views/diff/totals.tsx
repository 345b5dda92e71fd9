import type { Comparison } from '../../../src/core/report/comparison.ts';
import type { Measurement } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { pairBar } from '../../layout/diff-bars.ts';
import { bytesText, changeCount, changeShare, count, exactBytes, factor } from '../../numbers.ts';
import { type MeasureActions, MeasureTiles } from '../measure/tiles.tsx';
import { PairBar } from './pair-bar.tsx';

type TotalsProps = {
  readonly totals: Comparison['totals'];
  readonly measurement: Measurement;
  readonly predicted?: number | undefined;
} & MeasureActions;

/** The four numbers a person came for; what was not measured says so. */
export function Totals({ totals: { before, after }, ...measuring }: TotalsProps) {
  const smaller = factor(before.fileBytes, after.fileBytes);
  const parameters = after.parameters - before.parameters;
  return (
    <section class="totals" aria-label={t('Totals')}>
      <div title={`${exactBytes(before.fileBytes)} → ${exactBytes(after.fileBytes)}`}>
        <h2>{t('File size')}</h2>
        <p class="big">
          {bytesText(after.fileBytes)} <span class="muted">{t('from {before}', { before: bytesText(before.fileBytes) })}</span>
        </p>
        <p class="small muted clip">
          {before.fileBytes === after.fileBytes
            ? t('no change')
            : [changeShare(before.fileBytes, after.fileBytes), smaller && t('{x} × smaller', { x: smaller })]
                .filter(Boolean)
                .join(' · ')}
        </p>
        <PairBar
          bar={{ ...pairBar(before.fileBytes, after.fileBytes, Math.max(before.fileBytes, after.fileBytes, 1)), tick: false }}
          organ="attention"
        />
      </div>
      <div>
        <h2>{t('Parameters')}</h2>
        <p class="big">
          {count(after.parameters)}{' '}
          <span class="muted only-wide">{t('from {before}', { before: count(before.parameters) })}</span>
        </p>
        <p class="small muted clip">
          {parameters === 0 ? t('no change') : `${changeShare(before.parameters, after.parameters)} · ${changeCount(parameters)}`}
        </p>
        <PairBar
          bar={{ ...pairBar(before.parameters, after.parameters, Math.max(before.parameters, after.parameters, 1)), tick: false }}
          organ="attention"
        />
      </div>
      <MeasureTiles {...measuring} />
    </section>
  );
}
