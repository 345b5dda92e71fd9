import { useRef, useState } from 'preact/hooks';
import type { SensitivityRow } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { isLeftOut } from '../../layout/exclusion.ts';
import { type ChartLine, chartOf, columnGlobs, levelOf, type SensitivityChart, unitOf } from '../../layout/sensitivity-chart.ts';
import { roleOf } from '../redundancy/words.ts';
import { driftText, multiple, partTitle, powerText, readingOf, shortTitle } from './words.ts';

interface ChartProps {
  readonly rows: readonly SensitivityRow[];
  readonly exclude: readonly string[];
  /** Parts that are left out all become part of the step again; else all are left out, by `globs`. */
  readonly onToggle: (parts: readonly SensitivityRow[], globs: readonly string[]) => void;
}

/** A place of the grid: what it stands for. `row` is of one part alone. */
interface Target {
  readonly parts: readonly SensitivityRow[];
  readonly globs: readonly string[];
  readonly row?: SensitivityRow;
}

/** What each part costs: a row a layer, a column a kind of matrix, darker for more. Heads of rows and columns stand for all in them. */
export function Chart({ rows, exclude, onToggle }: ChartProps) {
  const chart = chartOf(rows);
  const { organs, lines } = chart;
  const first = organs.length > 0 ? 1 : 0;
  const grid = useRef<HTMLDivElement>(null);
  const [stop, setStop] = useState(`${first} 1`);
  const [pointed, point] = useState<SensitivityRow | undefined>(undefined);
  const [focused, focus] = useState<SensitivityRow | undefined>(undefined);
  const sum = rows.reduce((total, { drift }) => total + (drift ?? 0), 0);
  const isOut = (row: SensitivityRow): boolean => isLeftOut(row, exclude);
  const reading = (row: SensitivityRow): string => readingOf(row, sum, isOut(row), row.skipped && say(row.skipped.sentence));
  const targets = new Map<string, Target>();
  for (const [column, organ] of organs.entries()) {
    const parts = rows.filter(each => each.layer !== undefined && each.organ === organ);
    targets.set(`0 ${column + 1}`, { parts, globs: columnGlobs(rows, organ) });
  }
  for (const [index, { key, cells, isWide }] of lines.entries()) {
    if (!isWide) targets.set(`${index + first} 0`, { parts: cells.flatMap(cell => cell ?? []), globs: [key] });
    for (const [column, row] of cells.entries())
      if (row) targets.set(`${index + first} ${column + 1}`, { parts: [row], globs: row.globs, row });
  }
  const targetOf = (event: Event): Target | undefined =>
    targets.get((event.target as HTMLElement).closest<HTMLElement>('[data-at]')?.dataset.at ?? '');
  const toggle = (event: Event): void => {
    const target = targetOf(event);
    const measured = target?.parts.filter(({ drift }) => drift !== null) ?? [];
    if (target && measured.length > 0) onToggle(measured, target.globs);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isToggle = event.key === 'Enter' || event.key === ' ';
    const to = isToggle ? undefined : neighbour(grid.current!, event.target as HTMLElement, event.key);
    if (!isToggle && !to) return;
    event.preventDefault();
    if (isToggle) toggle(event);
    else to!.focus();
  };
  /** Where a place is, and its turn in the tab order. */
  const place = (line: number, column: number) => {
    const at = `${line} ${column}`;
    return { 'data-at': at, tabIndex: stop === at ? 0 : -1 };
  };
  const shown = pointed ?? focused;
  return (
    <figure class="sensitivity">
      {/* biome-ignore lint/a11y/useSemanticElements: a grid of coloured cells, laid out by CSS */}
      <div
        class="hg costs"
        role="grid"
        aria-label={t('What each part costs')}
        ref={grid}
        style={{ '--n': Math.max(1, organs.length) }}
        onClick={toggle}
        onKeyDown={onKeyDown}
        onFocusIn={event => {
          setStop((event.target as HTMLElement).dataset.at ?? stop);
          focus(targetOf(event)?.row);
        }}
        onFocusOut={() => focus(undefined)}
        onPointerOver={event => point(targetOf(event)?.row)}
        onPointerLeave={() => point(undefined)}
      >
        {organs.length > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: its cells are focused
          <div role="row">
            {/* biome-ignore lint/a11y/useSemanticElements: see above */}
            {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
            <span role="columnheader" class="ch">
              <span class="sr">{t('Layer')}</span>
            </span>
            {organs.map((organ, column) => (
              <Head
                key={organ}
                role="columnheader"
                title={roleOf(organ).title}
                parts={targets.get(`0 ${column + 1}`)!.parts}
                isOut={isOut}
                {...place(0, column + 1)}
              />
            ))}
          </div>
        )}
        {lines.map((line, index) => (
          <Line
            key={line.key}
            line={line}
            chart={chart}
            isOut={isOut}
            reading={reading}
            place={column => place(index + first, column)}
          />
        ))}
      </div>
      <Legend chart={chart} />
      <p class="reading small" aria-hidden="true">
        {shown ? reading(shown) : '\u00a0'}
      </p>
    </figure>
  );
}

interface Place {
  readonly 'data-at': string;
  readonly tabIndex: number;
}

interface HeadProps extends Place {
  readonly role: 'columnheader' | 'rowheader';
  readonly title: string;
  readonly parts: readonly SensitivityRow[];
  readonly isOut: (row: SensitivityRow) => boolean;
}

/** Of a row or a column of several parts: stands for all of them. */
function Head({ role, title, parts, isOut, ...place }: HeadProps) {
  const measured = parts.filter(({ drift }) => drift !== null);
  const out = measured.length > 0 && measured.every(isOut);
  return (
    <span
      role={role}
      class={`${role === 'rowheader' ? 'rh' : 'ch clip'} act ${out ? 'out' : ''}`}
      title={out ? t('Put all of “{title}” back', { title }) : t('Leave all of “{title}” out', { title })}
      {...place}
    >
      {title}
      {out && <span class="sr">{t('left out')}</span>}
    </span>
  );
}

interface LineProps {
  readonly line: ChartLine;
  readonly chart: SensitivityChart;
  readonly isOut: (row: SensitivityRow) => boolean;
  readonly reading: (row: SensitivityRow) => string;
  readonly place: (column: number) => Place;
}

function Line({ line: { layer, cells, isWide }, chart, isOut, reading, place }: LineProps) {
  const parts = cells.flatMap(cell => cell ?? []);
  const title = isWide ? shortTitle(parts[0]!) : t('Layer {n}', { n: String(layer) });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a grid of coloured cells, laid out by CSS
    // biome-ignore lint/a11y/useFocusableInteractive: its cells are focused
    <div role="row">
      {isWide ? (
        // biome-ignore lint/a11y/useSemanticElements: see above
        // biome-ignore lint/a11y/useFocusableInteractive: the cell beside it is focused
        <span role="rowheader" class={`rh clip ${isOut(parts[0]!) ? 'out' : ''}`} title={partTitle(parts[0]!)}>
          {title}
        </span>
      ) : (
        <Head role="rowheader" title={title} parts={parts} isOut={isOut} {...place(0)} />
      )}
      {cells.map((cell, column) =>
        cell ? (
          // biome-ignore lint/a11y/useSemanticElements: see above
          <span
            key={cell.id}
            role="gridcell"
            class={`cell ${isWide ? 'wide' : ''} ${cell.drift === null ? 'skipped' : ''} ${isOut(cell) ? 'off' : ''}`}
            style={{ '--k': tone(levelOf(cell.drift ?? 0, chart)) }}
            aria-label={reading(cell)}
            aria-selected={isOut(cell)}
            aria-disabled={cell.drift === null}
            title={reading(cell)}
            data-at={place(column + 1)['data-at']}
            tabIndex={place(column + 1).tabIndex}
            data-number={cell.drift === null ? '–' : multiple(cell.drift, unitOf(chart))}
          />
        ) : (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: there is nothing
          <span key={column} role="gridcell" />
        ),
      )}
    </div>
  );
}

/** Cells hold numbers: the ramp stops where text still stands out. */
const tone = (level: number): string => `color-mix(in oklab, var(--hr-cool) ${(4 + level * 42).toFixed(1)}%, var(--hr-bg))`;

function Legend({ chart }: { chart: SensitivityChart }) {
  const { least, most } = chart;
  if (Number.isNaN(most)) return null;
  return (
    <div class="scale">
      <span>{driftText(least)}</span>
      <span class="ramp costs" aria-hidden="true" />
      <span>{driftText(most)}</span>
      <span class="grow" />
      <span>{t('1 − cosine of the outputs, log scale; cells in {unit}', { unit: powerText(unitOf(chart)) })}</span>
    </div>
  );
}

/** The place that an arrow leads to; a row with one wide cell is under every column. */
function neighbour(grid: HTMLElement, from: HTMLElement, key: string): HTMLElement | undefined {
  const placeOf = (element: HTMLElement): number[] => (element.dataset.at ?? '').split(' ').map(Number);
  const [line, column] = placeOf(from);
  if (line === undefined || column === undefined) return undefined;
  const all = [...grid.querySelectorAll<HTMLElement>('[data-at]')];
  const inLine = (at: number): HTMLElement[] => all.filter(each => placeOf(each)[0] === at);
  const farFrom = (element: HTMLElement): number => Math.abs(placeOf(element)[1]! - column);
  const nearest = (at: number): HTMLElement | undefined => inLine(at).sort((a, b) => farFrom(a) - farFrom(b))[0];
  const own = inLine(line);
  const at = own.indexOf(from);
  const to = {
    ...{ ArrowRight: own[at + 1], ArrowLeft: own[at - 1], Home: own[0], End: own.at(-1) },
    ...{ ArrowDown: nearest(line + 1), ArrowUp: nearest(line - 1) },
  };
  return to[key as keyof typeof to];
}
