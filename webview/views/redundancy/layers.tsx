import type { Redundancy } from '../../../src/protocol/messages.ts';
import { Button, Dropdown } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import { lossOfSharing, mostOf, type Pair, pairsOf, sharingGroups, withGroup } from '../../layout/sharing.ts';
import { share } from '../../numbers.ts';
import type { DataColumn } from './data-table.tsx';
import { cosineColumn, PairTable } from './pair-table.tsx';
import { Section } from './section.tsx';
import { type Similarity, SimilarityMap } from './similarity-map.tsx';
import { useKept } from './state.ts';
import { roleOf } from './words.ts';

interface Props {
  readonly redundancy: Redundancy;
  /** Absent where no command shares layers. Indices of the model's layers. */
  readonly onShare?: ((groups: readonly (readonly number[])[]) => void) | undefined;
  readonly onCopy: (text: string) => void;
}

/** Sharing that changes weights by more than this is not proposed. */
const mostLoss = 0.3;
const mostPairs = 100;

/** How alike layers are, by all their matrices or by one of each, and which could share one set of weights. */
export function Layers({ redundancy: { layers, layerMatrices = [] }, onShare, onCopy }: Props) {
  const [matrix, setMatrix] = useKept('layers by', 'encoder');
  const [chosen, choose] = useKept<string | null>('layers', null);
  const [marked, mark] = useKept<readonly (readonly number[])[]>('groups', []);
  if (!layers) return null;
  const similarity = layerMatrices.find(({ id }) => id === matrix) ?? layers;
  const pairs = pairsOf(similarity).slice(0, mostPairs);
  const columns = columnsOf(similarity);
  const pair = pairs.find(it => keyOf(it) === chosen) ?? pairs[0];
  return (
    <Section
      id="layers"
      title={t('Layers to each other')}
      note={t('cosine of their weights')}
      table={{ columns, rows: pairs }}
      onCopy={onCopy}
    >
      <div class="pair">
        <div>
          {layerMatrices.length > 1 && (
            <div class="row head">
              <span class="muted">{t('By')}</span>
              <Dropdown
                label={t('Matrices that are compared')}
                value={similarity.id}
                choices={[
                  { value: layers.id, label: t('All matrices') },
                  ...layerMatrices.map(({ id }) => ({ value: id, label: roleOf(id).title })),
                ]}
                onChange={setMatrix}
              />
            </div>
          )}
          <SimilarityMap
            similarity={similarity}
            label={t('Cosines of layers')}
            what={t('Layer')}
            most={mostOf(similarity)}
            chosen={pair && [pair.a, pair.b]}
            {...(onShare && { groups: marked, onGroup: (a, b) => mark(withGroup(marked, a, b)) })}
            pair={(a, b) => t('Layers {a} and {b}', { a, b })}
          />
        </div>
        <div>
          <h3>{t('Which could be shared')}</h3>
          <Shareable similarity={layers} marked={marked} onClear={() => mark([])} onShare={onShare} />
          <PairTable
            id="layers"
            label={t('Pairs of layers')}
            pairs={pairs}
            columns={columns}
            keyOf={keyOf}
            chosen={pair}
            onChoose={choose}
            onCopy={onCopy}
          />
        </div>
      </div>
    </Section>
  );
}

const keyOf = ({ a, b }: Pair): string => `${a} ${b}`;

/** Groups whose mean is near enough to each of them; where there are none, how far apart the nearest two are. */
function Shareable({
  similarity,
  marked,
  onClear,
  onShare,
}: {
  similarity: Similarity;
  /** Groups that the person made; none: those that are near enough. */
  marked: readonly (readonly number[])[];
  onClear: () => void;
  onShare: Props['onShare'];
}) {
  const own = marked.filter(group => group.every(at => at < similarity.size));
  const groups = own.length > 0 ? own : sharingGroups(similarity, mostLoss);
  const hint = onShare && own.length === 0 && (
    <p class="muted small">{t('Drag in the square, or press Enter on a cell, to make a group.')}</p>
  );
  const named = (group: readonly number[]): string => group.map(at => similarity.labels[at]).join(', ');
  const closest = pairsOf(similarity)[0];
  if (groups.length === 0)
    return (
      <>
        <p class="muted">
          {closest &&
            t('None: even the mean of the two most alike, layers {a} and {b}, would change their weights by {share}.', {
              a: similarity.labels[closest.a]!,
              b: similarity.labels[closest.b]!,
              share: share(lossOfSharing(similarity, [closest.a, closest.b]), 0),
            })}
        </p>
        {hint}
      </>
    );
  return (
    <>
      <ul class="left">
        {groups.map(group => (
          <li key={named(group)}>
            {t('Layers {layers}: their mean changes their weights by {share}.', {
              layers: named(group),
              share: share(lossOfSharing(similarity, group), 1),
            })}
          </li>
        ))}
      </ul>
      {hint}
      {onShare && (
        <p class="row">
          <Button onClick={() => onShare(groups.map(group => group.map(at => Number(similarity.labels[at]))))}>
            {t('Share layers…')}
          </Button>
          {own.length > 0 && <Button onClick={onClear}>{t('Clear')}</Button>}
        </p>
      )}
    </>
  );
}

const columnsOf = (similarity: Similarity): DataColumn<Pair>[] => [
  {
    ...{ key: 'layers', title: t('Layers') },
    value: ({ a, b }) => a * similarity.size + b,
    text: ({ a, b }) => `${similarity.labels[a]} – ${similarity.labels[b]}`,
  },
  cosineColumn(),
  {
    ...{ key: 'loss', title: t('Change if shared'), numeric: true },
    value: ({ a, b }) => lossOfSharing(similarity, [a, b]),
    text: ({ a, b }) => share(lossOfSharing(similarity, [a, b]), 1),
    tip: () => t('What their mean changes, as a share of their weights'),
  },
];
