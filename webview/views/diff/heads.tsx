import type { Lineage } from '../../../src/protocol/lineage.ts';
import { Button } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import { count } from '../../numbers.ts';

interface HeadsProps {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Which layers and heads stayed, when that is known. */
  readonly lineage?: Lineage | undefined;
  /** Opens the attention of a layer, before beside after. */
  readonly onAttention: (layer: number) => void;
}

/** Heads of each layer on both sides; one sentence where they are the same. */
export function Heads({ before, after, lineage, onAttention }: HeadsProps) {
  if (before.length === 0 && after.length === 0) return null;
  const layers = Math.max(before.length, after.length);
  const sum = (heads: readonly number[]): number => heads.reduce((all, one) => all + one, 0);
  const same = before.length === after.length && before.every((heads, layer) => heads === after[layer]);
  if (same)
    return (
      <section class="pane">
        <h2>{t('Heads')}</h2>
        <p class="muted">{t('The same on both sides: {n} heads in {m} layers.', { n: sum(before), m: layers })}</p>
        <Button onClick={() => onAttention(0)}>{t('Show attention…')}</Button>
      </section>
    );
  const most = Math.max(1, ...before, ...after);
  const parts = lineage;
  return (
    <section class="pane">
      <div class="row">
        <h2>{t('Heads')}</h2>
        <span class="grow" />
        <span class="small muted">{t('{before} → {after}', { before: count(sum(before)), after: count(sum(after)) })}</span>
      </div>
      {parts && <RemovedHeads before={before} lineage={parts} />}
      <table class={parts ? 'heads sr' : 'heads'}>
        <thead class="sr">
          <tr>
            <th scope="col">{t('Layer')}</th>
            <th scope="col">{t('Before and after')}</th>
            <th scope="col">{t('Heads')}</th>
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: layers }, (_, layer) => (
            <HeadRow
              key={layer}
              layer={layer}
              before={before[layer]}
              after={parts ? parts.heads[layer]?.length : after[layer]}
              most={most}
            />
          ))}
        </tbody>
      </table>
      <Button onClick={() => onAttention(firstDifferent(before, after))}>{t('Show attention…')}</Button>
    </section>
  );
}

/** Every head there was in its place; those that went are struck out. The table that follows says the same in words. */
function RemovedHeads({ before, lineage }: { before: readonly number[]; lineage: Lineage }) {
  const columns = Math.max(1, ...before);
  const gone = before.reduce((sum, heads, layer) => sum + heads - lineage.heads[layer]!.length, 0);
  const layersGone = before.length - lineage.layers.length;
  return (
    <>
      <div class={`hg ${columns > 16 ? 'many' : ''}`} style={{ '--n': columns }} aria-hidden="true">
        <div class="line">
          <span class="ch" />
          {Array.from({ length: columns }, (_, head) => (
            <span key={head} class="ch">
              {head}
            </span>
          ))}
        </div>
        {before.map((heads, layer) => (
          <div key={layer} class="line">
            <span class={lineage.layers.includes(layer) ? 'rh' : 'rh struck'}>{t('Layer {n}', { n: layer })}</span>
            {Array.from({ length: columns }, (_, head) => {
              const kept = lineage.heads[layer]!.includes(head);
              const title = kept
                ? t('Layer {layer}, head {head}', { layer, head })
                : t('Layer {layer}, head {head}, removed', { layer, head });
              return <span key={head} class={head >= heads ? 'cell absent' : kept ? 'cell stays' : 'cell off'} title={title} />;
            })}
          </div>
        ))}
      </div>
      <p class="small muted">
        {t('{n} of {m} heads removed.', { n: gone, m: before.reduce((sum, heads) => sum + heads, 0) })}{' '}
        {layersGone > 0 && t('{n} of {m} layers removed.', { n: layersGone, m: before.length })}
      </p>
    </>
  );
}

const firstDifferent = (before: readonly number[], after: readonly number[]): number =>
  Math.max(
    0,
    before.findIndex((heads, layer) => heads !== after[layer]),
  );

function HeadRow({
  layer,
  before,
  after,
  most,
}: {
  layer: number;
  before: number | undefined;
  after: number | undefined;
  most: number;
}) {
  const width = (heads: number | undefined): string => `${((heads ?? 0) / most) * 100}%`;
  return (
    <tr>
      <th scope="row">{t('Layer {n}', { n: layer })}</th>
      <td class="wide">
        <span class="bar ba c-attention" aria-hidden="true">
          <i class="b" style={{ width: width(before) }} />
          <i class="a" style={{ width: width(after) }} />
        </span>
      </td>
      <td class="num">
        {before === after ? (
          <span class="muted">{before}</span>
        ) : (
          t('{before} → {after}', { before: before ?? '–', after: after ?? '–' })
        )}
      </td>
    </tr>
  );
}
