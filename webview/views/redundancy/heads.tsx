import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { mostOf, type Pair, pairsOf } from '../../layout/sharing.ts';
import { cosine } from '../../numbers.ts';
import type { DataColumn } from './data-table.tsx';
import { cosineColumn, PairTable } from './pair-table.tsx';
import { Section } from './section.tsx';
import { Legend, type Similarity, SimilarityMap, shade } from './similarity-map.tsx';
import { useKept } from './state.ts';

interface HeadPair extends Pair {
  readonly layer: number;
}

const mostPairs = 200;

/** How alike the heads of each layer are: one layer large, all of them small, and the most alike pairs of the model. */
export function Heads({ redundancy: { heads }, onCopy }: { redundancy: Redundancy; onCopy: (text: string) => void }) {
  const [chosen, choose] = useKept<string | null>('heads', null);
  const pairs = heads
    .flatMap(each => pairsOf(each).map(pair => ({ ...pair, layer: layerOf(each) })))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, mostPairs);
  if (heads.length === 0 || pairs.length === 0) return null;
  const pair = pairs.find(it => keyOf(it) === chosen);
  const layer = pair?.layer ?? Number(/^layer (\d+)$/.exec(chosen ?? '')?.[1] ?? pairs[0]!.layer);
  const large = heads.find(each => layerOf(each) === layer) ?? heads[0]!;
  const shown = pair ?? pairs.find(it => it.layer === layerOf(large));
  const most = Math.max(...heads.map(mostOf));
  const columns = columnsOf();
  return (
    <Section
      id="heads"
      title={t('Heads within a layer')}
      note={t('cosine of what they write for what they read')}
      table={{ columns, rows: pairs }}
      onCopy={onCopy}
    >
      <div class="pair">
        <div>
          <h3>{t('Layer {n}', { n: layerOf(large) })}</h3>
          <SimilarityMap
            key={large.id}
            similarity={large}
            label={t('Cosines of the heads of layer {n}', { n: layerOf(large) })}
            what={t('Head')}
            most={most}
            chosen={shown && [shown.a, shown.b]}
            pair={(a, b) => t('Heads {a} and {b}', { a, b })}
          />
        </div>
        <div>
          <h3>{t('All layers')}</h3>
          <Thumbnails heads={heads} most={most} selected={layerOf(large)} onSelect={each => choose(`layer ${each}`)} />
          <Legend most={most} signed={heads.some(({ cosines }) => cosines.some(each => each < -most / 50))} />
          <PairTable
            id="heads"
            label={t('Pairs of heads, most alike first')}
            pairs={pairs}
            columns={columns}
            keyOf={keyOf}
            chosen={shown}
            onChoose={choose}
            onCopy={onCopy}
          />
        </div>
      </div>
    </Section>
  );
}

/** "encoder.layer.3.attention" -> 3 */
const layerOf = ({ id }: Similarity): number => Number(/\.(\d+)\./.exec(id)?.[1] ?? 0);
const keyOf = ({ layer, a, b }: HeadPair): string => `${layer} ${a} ${b}`;

/** A picture a layer, as radios. */
function Thumbnails({
  heads,
  most,
  selected,
  onSelect,
}: {
  heads: readonly Similarity[];
  most: number;
  selected: number;
  onSelect: (layer: number) => void;
}) {
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = heads.findIndex(each => layerOf(each) === selected);
    const next = (at + step + heads.length) % heads.length;
    onSelect(layerOf(heads[next]!));
    ((event.currentTarget as HTMLElement).children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="thumbs" role="radiogroup" aria-label={t('Layer')} onKeyDown={onKeyDown}>
      {heads.map(each => {
        const layer = layerOf(each);
        const [pair] = pairsOf(each);
        const label = pair
          ? `${t('Layer {n}', { n: layer })}: ${t('most alike are heads {a} and {b}, {cosine}', {
              a: each.labels[pair.a]!,
              b: each.labels[pair.b]!,
              cosine: cosine(pair.cosine),
            })}`
          : t('Layer {n}', { n: layer });
        return (
          // biome-ignore lint/a11y/useSemanticElements: an input cannot hold a picture, keys follow the radio pattern
          <button
            key={each.id}
            type="button"
            role="radio"
            aria-checked={layer === selected}
            tabIndex={layer === selected ? 0 : -1}
            aria-label={label}
            title={label}
            onClick={() => onSelect(layer)}
          >
            <Picture similarity={each} most={most} />
            <span aria-hidden="true">{layer}</span>
          </button>
        );
      })}
    </div>
  );
}

function Picture({ similarity: { size, cosines }, most }: { similarity: Similarity; most: number }) {
  return (
    <svg viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges" aria-hidden="true">
      {cosines.map((value, at) => {
        const [row, column] = [Math.floor(at / size), at % size];
        return row === column ? null : (
          <rect key={at} x={column} y={row} width={1} height={1} style={{ fill: shade(value, most, false) }} />
        );
      })}
    </svg>
  );
}

const columnsOf = (): DataColumn<HeadPair>[] => [
  {
    ...{ key: 'layer', title: t('Layer'), numeric: true },
    value: ({ layer }) => layer,
    text: ({ layer }) => String(layer),
  },
  {
    ...{ key: 'heads', title: t('Heads') },
    value: ({ a, b }) => a * 1000 + b,
    text: ({ a, b }) => `${a} – ${b}`,
  },
  cosineColumn(),
];
