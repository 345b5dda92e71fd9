import type { Redundancy, Saving } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { pairsOf } from '../../layout/sharing.ts';
import { bytesText, changeShare, cosine, count, share } from '../../numbers.ts';
import { goTo } from './section.tsx';
import type { Similarity } from './similarity-map.tsx';
import { savingTitle } from './words.ts';

interface Fact {
  readonly section: string;
  readonly number: string;
  readonly what: string;
}

interface Props {
  readonly redundancy: Redundancy;
  readonly savings: readonly Saving[];
  readonly fileBytes: number;
}

/** One number a section: where to look first. */
export function Facts(props: Props) {
  return (
    <ul class="facts" aria-label={t('In short')}>
      {factsOf(props).map(({ section, number, what }) => (
        <li key={section}>
          <button type="button" onClick={() => goTo(section)}>
            <b>{number}</b>
            <span class="muted small">{what}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Of its most alike two. */
const alikeOf = (similarity: Similarity): number => pairsOf(similarity)[0]?.cosine ?? 0;

export function factsOf({
  redundancy: { spectra, layers, heads, repeats, vocabulary, nearZero },
  savings,
  fileBytes,
}: Props): Fact[] {
  const [best] = savings;
  const low = spectra.filter(({ rank99, breakEven }) => rank99 < breakEven).length;
  const twice = repeats.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const idle = (vocabulary?.unused ?? 0) + (vocabulary?.near?.rows ?? 0);
  return [
    ...(best?.fileBytes !== undefined
      ? [{ section: 'savings', number: changeShare(fileBytes, best.fileBytes), what: savingTitle(best) }]
      : []),
    ...(spectra.length > 0
      ? [
          {
            section: 'ranks',
            number: t('{n} of {m}', { n: count(low), m: count(spectra.length) }),
            what: t('matrices keep 99 % below break-even'),
          },
        ]
      : []),
    ...(layers ? [{ section: 'layers', number: cosine(alikeOf(layers)), what: t('cosine of the most alike layers') }] : []),
    ...(heads.length > 0
      ? [{ section: 'heads', number: cosine(Math.max(...heads.map(alikeOf))), what: t('cosine of the most alike heads') }]
      : []),
    { section: 'repeats', number: bytesText(twice), what: t('stand twice') },
    ...(vocabulary ? [{ section: 'vocabulary', number: count(idle), what: t('rows unused or nearly equal') }] : []),
    { section: 'near-zero', number: share(nearZero.all), what: t('of weights near zero') },
  ];
}
