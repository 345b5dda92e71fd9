import type { AttentionMaps } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { smallSize } from '../../layout/attention.ts';
import { MapCanvas } from './map-canvas.tsx';

interface AllHeadsProps {
  readonly title: string;
  readonly maps: AttentionMaps;
  /** The weight of the full colour. */
  readonly most: number;
  readonly onHead: (head: number) => void;
}

/** Every head of a layer, small; one that is chosen is shown large. */
export function AllHeads({ title, maps, most, onHead }: AllHeadsProps) {
  const tokens = maps.tokens.length;
  return (
    <section class="head-map" aria-label={title}>
      <h2>{title}</h2>
      <ul class="small-maps">
        {maps.heads.map(({ head, weights_TT }) => (
          <li key={head}>
            <button type="button" onClick={() => onHead(head)} aria-label={t('Head {n}', { n: head })}>
              <MapCanvas weights_TT={weights_TT} tokens={tokens} most={most} size={smallSize(tokens)} />
              <span class="small">{t('Head {n}', { n: head })}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
