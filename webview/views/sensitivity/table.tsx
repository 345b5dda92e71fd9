import type { SensitivityRow } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { isLeftOut } from '../../layout/exclusion.ts';
import { bytesText, share } from '../../numbers.ts';
import { driftText, partTitle } from './words.ts';

interface TableProps {
  readonly rows: readonly SensitivityRow[];
  readonly exclude: readonly string[];
  readonly onToggle: (parts: readonly SensitivityRow[], globs: readonly string[]) => void;
}

/** The chart's numbers, the most costly part first; what the step leaves alone last, with its reason. */
export function CostTable({ rows, exclude, onToggle }: TableProps) {
  const sum = rows.reduce((total, { drift }) => total + (drift ?? 0), 0);
  const sorted = [...rows].sort((a, b) => (b.drift ?? -1) - (a.drift ?? -1));
  return (
    <details class="as-table">
      <summary>{t('As a table')}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys */}
      <section class="scroll" tabIndex={0} aria-label={t('What each part costs')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Part')}</th>
              <th scope="col" class="num">
                {t('Drift')}
              </th>
              <th scope="col" class="num">
                %
              </th>
              <th scope="col" class="num">
                {t('Before')}
              </th>
              <th scope="col" class="num">
                {t('After')}
              </th>
              <th scope="col">
                <span class="sr">{t('In this step')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(row => {
              const isOut = isLeftOut(row, exclude);
              const title = partTitle(row);
              return (
                <tr key={row.id} class={isOut ? 'out' : ''}>
                  <th scope="row">{title}</th>
                  {row.drift === null ? (
                    <td colSpan={5} class="muted">
                      {row.skipped && say(row.skipped.sentence)}
                    </td>
                  ) : (
                    <>
                      <td class="num">{driftText(row.drift)}</td>
                      <td class="num">{sum > 0 ? share(row.drift / sum, 1) : ''}</td>
                      <td class="num">{bytesText(row.bytesBefore)}</td>
                      <td class="num">{bytesText(row.bytesAfter)}</td>
                      <td>
                        <button
                          type="button"
                          class="link"
                          aria-label={isOut ? t('Put “{title}” back', { title }) : t('Leave “{title}” out', { title })}
                          onClick={() => onToggle([row], row.globs)}
                        >
                          {isOut ? t('Put back') : t('Leave out')}
                        </button>
                      </td>
                    </>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </details>
  );
}
