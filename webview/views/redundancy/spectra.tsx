import type { DryRun, Redundancy, Step } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { fullRank, thinShare } from '../../layout/spectrum-plot.ts';
import { count, shape, share } from '../../numbers.ts';
import { Name } from '../name.tsx';
import { type DataColumn, DataTable } from './data-table.tsx';
import type { FactorizeOptions } from './factorize.tsx';
import type { AskOutputs } from './outputs.tsx';
import { Section } from './section.tsx';
import { SmallMultiples } from './small-multiples.tsx';
import { SpectrumChart } from './spectrum-chart.tsx';
import { useKept } from './state.ts';

export type Spectrum = Redundancy['spectra'][number];

interface Props {
  readonly redundancy: Redundancy;
  readonly onFactorize?: ((options: FactorizeOptions) => void) | undefined;
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly askOutputs: AskOutputs;
  readonly onCopy: (text: string) => void;
}

/** The chosen spectrum large, all of them small, and their ranks as a table: one selection. */
export function Spectra({ redundancy: { spectra, skipped = [] }, onFactorize, tryStep, askOutputs, onCopy }: Props) {
  const [chosen, choose] = useKept<string | null>('spectrum', null);
  const spectrum = spectra.find(({ id }) => id === chosen) ?? lowest(spectra);
  const columns = columnsOf();
  return (
    <Section
      id="ranks"
      title={t('Rank of the matrices')}
      note={t('smallest rank that keeps so much of the energy')}
      table={{ columns, rows: spectra }}
      onCopy={onCopy}
    >
      {spectrum && (
        <div class="pair">
          <SpectrumChart
            key={spectrum.id}
            spectrum={spectrum}
            spectra={spectra}
            onFactorize={onFactorize}
            tryStep={tryStep}
            askOutputs={askOutputs}
          />
          <div>
            <h3>{t('All spectra')}</h3>
            <p class="muted small">{t('Energy kept by the first ranks. The number is the share of ranks that keeps 95 %.')}</p>
            <SmallMultiples spectra={spectra} selected={spectrum.id} onSelect={choose} />
          </div>
        </div>
      )}
      {spectra.length > 0 && (
        <DataTable
          id="ranks"
          label={t('Rank of the matrices')}
          rows={spectra}
          columns={columns}
          rowKey={({ id }) => id}
          selected={spectrum?.id}
          onSelect={({ id }) => choose(id)}
          onCopy={onCopy}
          tall
        />
      )}
      {skipped.length > 0 && (
        <ul class="left small">
          {skipped.map(({ id, reason }) => (
            <li key={id}>
              <span class="mono">
                <Name limit={120}>{id}</Name>
              </span>{' '}
              <span class="muted">{say(reason)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** What a person would look at first: the matrix that needs the smallest share of its ranks. */
function lowest(spectra: readonly Spectrum[]): Spectrum | undefined {
  return [...spectra].sort((a, b) => a.rank95 / fullRank(a) - b.rank95 / fullRank(b))[0];
}

const columnsOf = (): DataColumn<Spectrum>[] => {
  const rank = (key: 'rank90' | 'rank95' | 'rank99', title: string): DataColumn<Spectrum> => ({
    ...{ key, title, numeric: true },
    value: it => it[key],
    text: it => String(it[key]),
    cell: it => (it[key] < it.breakEven ? `✓ ${count(it[key])}` : <span class="muted">{count(it[key])}</span>),
    tip: it =>
      it[key] < it.breakEven
        ? t('Two thin matrices take {share} of its parameters', { share: share(thinShare(it, it[key]), 0) })
        : t('Two thin matrices would be larger'),
  });
  return [
    {
      ...{ key: 'id', title: t('Matrix'), class: 'mono clip' },
      value: ({ id }) => id,
      text: ({ id }) => id,
      cell: ({ id }) => <Name limit={120}>{id}</Name>,
      tip: ({ id }) => visibleName(id),
    },
    {
      ...{ key: 'shape', title: t('Shape'), class: 'mono', numeric: true, from: 640 },
      value: it => it.out * it.in,
      text: it => `${it.out}x${it.in}`,
      cell: it => shape([it.out, it.in]),
    },
    rank('rank90', '90 %'),
    rank('rank95', '95 %'),
    rank('rank99', '99 %'),
    {
      ...{ key: 'full', title: t('Full rank'), numeric: true, from: 640 },
      value: fullRank,
      text: it => String(fullRank(it)),
      cell: it => count(fullRank(it)),
    },
    {
      ...{ key: 'breakEven', title: t('Break-even'), numeric: true, from: 560 },
      value: it => it.breakEven,
      text: it => String(it.breakEven),
      cell: it => count(it.breakEven),
      tip: () => t('From this rank on two thin matrices are as large as the one'),
    },
  ];
};
