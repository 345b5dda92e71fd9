import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { count, shape } from '../../numbers.ts';
import { Table } from './found.tsx';

type Spectrum = Redundancy['spectra'][number];

/** A row a matrix: its curve, and the ranks that keep 90, 95 and 99 % of its energy. A rank under the break-even point saves bytes. */
export function Spectra({ spectra }: { spectra: readonly Spectrum[] }) {
  return (
    <Table heads={[t('Matrix'), t('Singular values'), t('Shape'), '90 %', '95 %', '99 %', t('Break-even')]} numbers={5}>
      {spectra.map(it => (
        <tr key={it.id}>
          <td class="mono clip">
            <bdi>{visibleName(it.id, 120)}</bdi>
          </td>
          <td>
            <Curve spectrum={it} />
          </td>
          <td class="mono num">{shape([it.out, it.in])}</td>
          <Rank rank={it.rank90} breakEven={it.breakEven} />
          <Rank rank={it.rank95} breakEven={it.breakEven} />
          <Rank rank={it.rank99} breakEven={it.breakEven} />
          <td class="num muted">{count(it.breakEven)}</td>
        </tr>
      ))}
    </Table>
  );
}

const Rank = ({ rank, breakEven }: { rank: number; breakEven: number }) => (
  <td class={rank < breakEven ? 'num' : 'num muted'}>{rank < breakEven ? `${count(rank)} ✓` : count(rank)}</td>
);

const [width, height] = [120, 16];

function Curve({ spectrum: { values, ranks, rank90, out, in: wide } }: { spectrum: Spectrum }) {
  const most = values[0] ?? 0;
  const last = Math.max(1, (ranks.at(-1) ?? 1) - (ranks[0] ?? 0));
  const points = values.map((value, i) => {
    const x = (width * (ranks[i]! - ranks[0]!)) / last;
    const y = most > 0 ? height * (1 - value / most) : height;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const label = t('Rank {rank} of {full} keeps 90 % of the energy', { rank: rank90, full: Math.min(out, wide) });
  return (
    <svg class="curve" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      <polyline points={points.join(' ')} />
    </svg>
  );
}
