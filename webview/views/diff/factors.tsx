import type { ComparisonNode } from '../../../src/core/report/comparison.ts';
import { t } from '../../l10n.ts';
import { count, shape, share } from '../../numbers.ts';

/** Units of the drawing that the longer side of the matrix takes. */
const long = 110;
const gap = 26;

export interface FactorShapes {
  readonly out: number;
  readonly in: number;
  readonly rank: number;
}

/** The sides of a matrix that became two: from the parameters of its factors, whatever way each is stored. */
export function factorsOf(node: ComparisonNode): FactorShapes | undefined {
  const part = (name: string) => node.children?.find(({ id }) => id === `${node.id}.${name}`)?.after?.shape;
  const [first, second] = [part('first'), part('second')];
  if (first?.length !== 2 || second?.length !== 2) return undefined;
  // The side that both have; where they share both, the smaller one: a factor is thin.
  const inner = Math.min(...first.filter(size => second.includes(size)));
  if (!Number.isFinite(inner)) return undefined;
  const outside = ([a, b]: readonly number[]): number => (a === inner ? b! : a!);
  return { out: outside(second), in: outside(first), rank: inner };
}

/** The matrix, and beside it the two thin ones in its place, to scale. */
export function FactorFigure({ factors: { out, in: width, rank } }: { factors: FactorShapes }) {
  const scale = long / Math.max(out, width);
  const [tall, wide, thin] = [out, width, rank].map(size => Math.max(1.5, size * scale)) as [number, number, number];
  const kept = (rank * (out + width)) / (out * width);
  const second = wide + gap;
  const first = second + thin + 12;
  const height = Math.max(tall, thin);
  return (
    <figure class="factors">
      <h3>{t('Two thin matrices in place of one')}</h3>
      <svg
        width={first + wide + 2}
        height={height + 2}
        viewBox={`-1 -1 ${first + wide + 2} ${height + 2}`}
        role="img"
        aria-label={t('A matrix of {a} by {b} became {a} by {r} times {r} by {b}.', { a: out, b: width, r: rank })}
      >
        <rect class="was" x={0} y={0} width={wide} height={tall} />
        <text x={wide + gap / 2} y={tall / 2 + 4} text-anchor="middle">
          →
        </text>
        <rect class="now" x={second} y={0} width={thin} height={tall} />
        <text x={second + thin + 6} y={tall / 2 + 4} text-anchor="middle">
          ·
        </text>
        <rect class="now" x={first} y={0} width={wide} height={thin} />
      </svg>
      <figcaption class="small muted">
        <span class="mono">
          {shape([out, width])} → {shape([out, rank])} · {shape([rank, width])}
        </span>
        <br />
        {t('Rank {rank}: {n} parameters in place of {m}, {share}.', {
          rank: count(rank),
          n: rank * (out + width),
          m: out * width,
          share: share(kept, 0),
        })}
      </figcaption>
    </figure>
  );
}
