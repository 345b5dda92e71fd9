import { useState } from 'preact/hooks';
import { t } from '../../../l10n.ts';
import type { Subject } from './subject.ts';
import { ValueGrid, type ValueGridProps } from './value-grid.tsx';

/** A grid of the values themselves; of a tensor of more axes, the slice that the indices of the leading ones choose. */
export function Values({ subject, ...rest }: { subject: Subject } & Pick<ValueGridProps, 'api' | 'onCopy'>) {
  const { shape, name } = subject;
  const axes = shape.slice(0, -2);
  const [leading, setLeading] = useState<readonly number[]>(axes.map(() => 0));
  const rows = shape.length > 1 ? shape.at(-2)! : 1;
  const columns = shape.at(-1) ?? 1;
  return (
    <div class="values">
      {axes.length > 0 && (
        <div class="row leading small">
          <span class="muted">{t('Slice')}</span>
          {axes.map((size, axis) => (
            <input
              key={axis}
              class="in"
              type="number"
              min={0}
              max={size - 1}
              defaultValue="0"
              aria-label={t('Index along axis {n}, of {size}', { n: axis, size })}
              title={t('Index along axis {n}, of {size}', { n: axis, size })}
              onChange={event => {
                const wanted = Math.trunc(Number(event.currentTarget.value)) || 0;
                const index = Math.max(0, Math.min(size - 1, wanted));
                event.currentTarget.value = String(index);
                setLeading(now => now.map((old, at) => (at === axis ? index : old)));
              }}
            />
          ))}
          <span class="mono muted">× {shape.slice(-2).join(' × ')}</span>
        </div>
      )}
      <ValueGrid key={`${name}:${leading.join()}`} name={name} leading={leading} rows={rows} columns={columns} {...rest} />
    </div>
  );
}
