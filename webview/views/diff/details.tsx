import type { ComponentChildren } from 'preact';
import type { ComparisonNode } from '../../../src/core/report/comparison.ts';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import type { NodeDigest } from '../../layout/diff-digest.ts';
import { visibleName } from '../../layout/names.ts';
import { changeCount, cosine, count, exactBytes, shape, share } from '../../numbers.ts';
import { FactorFigure, factorsOf } from './factors.tsx';
import { hasMatrix, Matrix, type MatrixProps } from './matrix.tsx';
import { changeWord, marks, titleOf } from './words.ts';

interface DetailsProps extends MatrixProps {
  readonly entry: NodeDigest;
  readonly onCopy: (text: string) => void;
  readonly onClose: () => void;
}

/** The selected row, exactly. */
export function Details({ node, entry, api, readings, onCopy, onClose }: DetailsProps) {
  const { before, after } = node;
  const factors = factorsOf(node);
  const line = (title: string, from: string | undefined, to: string | undefined, difference?: ComponentChildren) =>
    (from ?? to) !== undefined && (
      <tr>
        <th scope="row">{title}</th>
        <td class="num">{from ?? '–'}</td>
        <td class="num">{to ?? '–'}</td>
        <td class="num muted">{difference}</td>
      </tr>
    );
  const change = (key: 'byteLength' | 'parameters'): string => {
    const difference = (after?.[key] ?? 0) - (before?.[key] ?? 0);
    return difference === 0 ? '' : changeCount(difference);
  };
  return (
    <section class="details" aria-label={t('Details')}>
      <div class="row">
        <span class={`st st-${node.change}`} aria-hidden="true">
          {marks[node.change]}
        </span>
        <h2 class="clip">
          <bdi>{titleOf(node)}</bdi> <span class="muted">{changeWord(node.change)}</span>
        </h2>
        <span class="mono muted clip grow" title={visibleName(node.id)}>
          <bdi>{visibleName(node.id)}</bdi>
        </span>
        <button type="button" class="ib" aria-label={t('Copy id')} title={t('Copy id')} onClick={() => onCopy(node.id)}>
          <Icon name="copy" />
        </button>
        <button type="button" class="ib" aria-label={t('Close details')} title={t('Close details')} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="exact">
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col" class="num">
                {t('Before')}
              </th>
              <th scope="col" class="num">
                {t('After')}
              </th>
              <th scope="col" class="num">
                {t('Change')}
              </th>
            </tr>
          </thead>
          <tbody>
            {line(
              t('Bytes'),
              before ? count(before.byteLength) : undefined,
              after ? count(after.byteLength) : undefined,
              change('byteLength'),
            )}
            {line(
              t('Parameters'),
              before ? count(before.parameters) : undefined,
              after ? count(after.parameters) : undefined,
              change('parameters'),
            )}
            {line(t('Type'), entry.before.dtype, entry.after.dtype)}
            {line(t('Shape'), entry.before.shape && shape(entry.before.shape), entry.after.shape && shape(entry.after.shape))}
          </tbody>
        </table>
        <ErrorList node={node} entry={entry} />
        {factors && <FactorFigure factors={factors} />}
      </div>
      {hasMatrix(node) && <Matrix key={node.id} node={node} api={api} readings={readings} />}
      <span class="sr">{exactBytes(after?.byteLength ?? 0)}</span>
    </section>
  );
}

function ErrorList({ node: { error, change }, entry }: { node: ComparisonNode; entry: NodeDigest }) {
  if (change === 'same') return <p class="muted">{t('The same bytes on both sides.')}</p>;
  if (error)
    return (
      <dl class="kv">
        <dt>{t('Error')}</dt>
        <dd>{Number.isFinite(error.relative) ? share(error.relative, 3) : '∞'}</dd>
        <dt>{t('Cosine')}</dt>
        <dd>{cosine(error.cosine)}</dd>
        <dt>{t('Largest')}</dt>
        <dd title={t('The largest change of a single weight')}>{error.maxAbs.toPrecision(3)}</dd>
      </dl>
    );
  if (entry.error !== undefined)
    return (
      <p class="muted">
        {t('Inside: error at most {error}, cosine at least {cosine}.', {
          error: share(entry.error, 3),
          cosine: cosine(entry.cosine ?? 1),
        })}
      </p>
    );
  return null;
}
