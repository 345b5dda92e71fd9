import type { TensorStatistics } from '../../../../src/protocol/messages.ts';
import { t } from '../../../l10n.ts';
import { count, real, share } from '../../../numbers.ts';

/** Range, mean, spread, zeros and what is not finite; then the percentiles. */
export function Statistics({ statistics }: { statistics: TensorStatistics }) {
  const { min, max, mean, std, zeros, nonFinite, percentiles } = statistics;
  const finite = statistics.count - nonFinite;
  return (
    <>
      <dl class="kv stats">
        <dt>{t('Range')}</dt>
        <dd title={`${min} … ${max}`}>{finite ? t('{from} to {to}', { from: real(min), to: real(max) }) : '–'}</dd>
        <dt>{t('Mean')}</dt>
        <dd title={String(mean)}>{finite ? real(mean) : '–'}</dd>
        <dt title={t('standard deviation')}>{t('Std')}</dt>
        <dd title={String(std)}>{finite ? real(std) : '–'}</dd>
        <dt>{t('Zeros')}</dt>
        <dd>
          {count(zeros)} {zeros > 0 && <span class="muted">{share(zeros / statistics.count)}</span>}
        </dd>
        {nonFinite > 0 && (
          <>
            <dt>{t('Not finite')}</dt>
            <dd class="error">
              {count(nonFinite)} <span>{share(nonFinite / statistics.count)}</span>
            </dd>
          </>
        )}
      </dl>
      {finite > 0 && percentiles.length > 0 && (
        <dl class="percentiles small" aria-label={t('Percentiles')}>
          {percentiles.map(({ at, value }) => (
            <div key={at}>
              <dt>{at === 0.5 ? t('Median') : share(at, 0)}</dt>
              <dd title={String(value)}>{real(value, 2)}</dd>
            </div>
          ))}
        </dl>
      )}
      {statistics.acting && (
        <p class="small muted acting">{t('Of the weights as they act: multiplied out by scale and zero point.')}</p>
      )}
    </>
  );
}

/** The same as tab-separated text, with all digits. */
export function statisticsText({ count: values, min, max, mean, std, zeros, nonFinite, percentiles }: TensorStatistics): string {
  const rows: [string, number][] = [
    [t('Values'), values],
    [t('Minimum'), min],
    [t('Maximum'), max],
    [t('Mean'), mean],
    [t('Std'), std],
    [t('Zeros'), zeros],
    [t('Not finite'), nonFinite],
    ...percentiles.map(({ at, value }): [string, number] => [`${Math.round(at * 100)}%`, value]),
  ];
  return `${rows.map(row => row.join('\t')).join('\n')}\n`;
}
