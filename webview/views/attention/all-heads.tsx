import type { AttentionMaps } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { smallSize } from '../../layout/attention.ts';
import { MapCanvas } from './map-canvas.tsx';

/** Every head of a layer, small; one that is chosen is shown large. */
export function AllHeads({ title, maps, onHead }: { title: string; maps: AttentionMaps; onHead: (head: number) => void }) {
  const tokens = maps.tokens.length;
  return (
    <section class="head-map" aria-label={title}>
      <h2>{title}</h2>
      <ul class="small-maps">
        {maps.heads.map(({ head, weights_TT }) => (
          <li key={head}>
            <button type="button" onClick={() => onHead(head)} aria-label={t('Head {n}', { n: head })}>
              <MapCanvas weights_TT={weights_TT} tokens={tokens} most={1} size={smallSize(tokens)} />
              <span class="small">{t('Head {n}', { n: head })}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
