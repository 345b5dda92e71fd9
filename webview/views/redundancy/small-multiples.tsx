import { useRef } from 'preact/hooks';
import { t } from '../../l10n.ts';
import { fullRank, lineOf, multiplesOf } from '../../layout/spectrum-plot.ts';
import { share } from '../../numbers.ts';
import { usePageWidth } from '../page-width.ts';
import type { Spectrum } from './spectra.tsx';
import { matrixTitle, roleOf } from './words.ts';

/** All spectra at once, rows of layers and columns of their matrices: how much of the energy the first ranks keep. */
export function SmallMultiples({
  spectra,
  selected,
  onSelect,
}: {
  spectra: readonly Spectrum[];
  selected: string;
  onSelect: (id: string) => void;
}) {
  const narrow = usePageWidth() < 560;
  const grid = useRef<HTMLDivElement>(null);
  const { layers, roles, at, others } = multiplesOf(spectra);
  const lines = [
    ...layers.map(layer => ({
      key: String(layer),
      title: narrow ? String(layer) : t('Layer {n}', { n: layer }),
      cells: roles.map(role => at(layer, role)),
    })),
    // What stands outside layers, as many in a line as there are columns.
    ...chunks(others, Math.max(4, roles.length)).map((cells, line) => ({
      key: `others ${line}`,
      title: line === 0 ? t('Others') : '',
      cells,
    })),
  ];
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const [line, column] = [Number(target.dataset.line), Number(target.dataset.column)];
    const to = {
      ArrowRight: [line, column + 1],
      ArrowLeft: [line, column - 1],
      ArrowDown: [line + 1, column],
      ArrowUp: [line - 1, column],
      Home: [line, 0],
      End: [line, (lines[line]?.cells.length ?? 1) - 1],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = grid.current?.querySelector<HTMLElement>(`[data-line="${to[0]}"][data-column="${to[1]}"]`);
    next?.focus();
    if (next?.dataset.id) onSelect(next.dataset.id);
  };
  const columns = Math.max(4, roles.length);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a grid of pictures, laid out by CSS
    <div
      class="multiples"
      role="grid"
      aria-label={t('Spectra by layer')}
      ref={grid}
      style={{ '--n': columns }}
      onKeyDown={onKeyDown}
    >
      {roles.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: see above
        // biome-ignore lint/a11y/useFocusableInteractive: its cells are focused
        <div role="row">
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
          <span role="columnheader">
            <span class="sr">{t('Layer')}</span>
          </span>
          {roles.map(role => (
            // biome-ignore lint/a11y/useSemanticElements: see above
            // biome-ignore lint/a11y/useFocusableInteractive: see above
            <span key={role} role="columnheader" class="clip" title={role}>
              {narrow ? roleOf(role).short : roleOf(role).title}
            </span>
          ))}
        </div>
      )}
      {lines.map((line, index) => (
        // biome-ignore lint/a11y/useSemanticElements: see above
        // biome-ignore lint/a11y/useFocusableInteractive: see above
        <div key={line.key} role="row">
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
          <span role="rowheader" class="clip">
            {line.title}
          </span>
          {line.cells.map((spectrum, column) =>
            spectrum ? (
              <Cell
                key={spectrum.id}
                spectrum={spectrum}
                organ={index < layers.length ? roleOf(roles[column]!).organ : 'other'}
                place={[index, column]}
                selected={spectrum.id === selected}
                onSelect={onSelect}
              />
            ) : (
              // biome-ignore lint/a11y/useSemanticElements: see above
              // biome-ignore lint/a11y/useFocusableInteractive: see above
              <span key={`none ${column}`} role="gridcell" />
            ),
          )}
        </div>
      ))}
    </div>
  );
}

const [wide, tall] = [60, 26];

function Cell({
  spectrum,
  organ,
  place: [line, column],
  selected,
  onSelect,
}: {
  spectrum: Spectrum;
  organ: string;
  place: readonly [number, number];
  selected: boolean;
  onSelect: (id: string) => void;
}) {
  const full = fullRank(spectrum);
  const part = share(spectrum.rank95 / full, 0);
  const label = `${matrixTitle(spectrum.id)}: ${t('rank {rank} of {full} ({share}) keeps 95 % of the energy', { rank: spectrum.rank95, full, share: part })}`;
  const corners = lineOf(spectrum, spectrum.kept, full, wide, tall, true);
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div
      role="gridcell"
      class={`cell c-${organ}`}
      tabIndex={selected ? 0 : -1}
      data-line={line}
      data-column={column}
      data-id={spectrum.id}
      data-part={part}
      aria-selected={selected}
      aria-label={label}
      title={label}
      onClick={() => onSelect(spectrum.id)}
      onKeyDown={event => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        onSelect(spectrum.id);
      }}
    >
      <svg viewBox={`0 0 ${wide} ${tall}`} preserveAspectRatio="none" aria-hidden="true">
        <polygon points={`${corners} ${wide},${tall}`} />
        <polyline points={corners} />
      </svg>
    </div>
  );
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
