import { useRef, useState } from 'preact/hooks';
import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { cosine } from '../../numbers.ts';
import { useWidth } from '../use-width.ts';

export type Similarity = NonNullable<Redundancy['layers']>;

interface Props {
  readonly similarity: Similarity;
  readonly label: string;
  /** "Layer": what a row and a column stand for. */
  readonly what: string;
  /** The cosine that is drawn full: stated in the legend. */
  readonly most: number;
  /** Two that are said to be chosen. */
  readonly chosen?: readonly [number, number] | undefined;
  /** Those that are to share, by their places; and what makes two of them, with all between, a group: dragging, or Enter. */
  readonly groups?: readonly (readonly number[])[] | undefined;
  readonly onGroup?: ((a: number, b: number) => void) | undefined;
  /** "Layers 3 and 7" */
  readonly pair: (a: string, b: string) => string;
}

/** CSS pixels. */
const [largest, smallest, gutter] = [48, 5, 28];
/** Cells that a number fits in, without a sign and with one. */
const [plain, withSign] = [34, 42];

/** Cosines as a square of cells: pointed at, or under the cursor of the arrow keys, one tells its value. */
export function SimilarityMap({ similarity, label, what, most, chosen, groups = [], onGroup, pair }: Props) {
  const { size, labels, cosines } = similarity;
  const frame = useRef<HTMLElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const room = useWidth(frame) - gutter;
  const side = Math.max(smallest, Math.min(largest, Math.floor(room / size)));
  const [cursor, setCursor] = useState<readonly [number, number]>(chosen ?? [0, Math.min(1, size - 1)]);
  const [pointed, setPointed] = useState<readonly [number, number] | null>(null);
  const [row, column] = pointed ?? within(cursor, size);
  const value = (a: number, b: number): number => cosines[a * size + b]!;
  const numbers = side >= (cosines.some(each => each < 0) ? withSign : plain);
  const every = Math.ceil(18 / side);
  const reading =
    row === column ? `${what} ${labels[row]}` : `${pair(labels[row]!, labels[column]!)}: ${cosine(value(row, column))}`;
  /** Where a drag began: its row and column, the smallest and the largest place so far. */
  const dragged = useRef<readonly [number, number] | null>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const [r, c] = within(cursor, size);
    if (event.key === 'Enter' && onGroup && r !== c) {
      event.preventDefault();
      onGroup(r, c);
      return;
    }
    const last = size - 1;
    const jump = event.ctrlKey || event.metaKey;
    const to = {
      ...{ ArrowRight: [r, c + 1], ArrowLeft: [r, c - 1], ArrowDown: [r + 1, c], ArrowUp: [r - 1, c] },
      ...{ Home: jump ? [0, 0] : [r, 0], End: jump ? [last, last] : [r, last] },
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = [Math.max(0, Math.min(last, to[0]!)), Math.max(0, Math.min(last, to[1]!))] as const;
    setPointed(null);
    setCursor(next);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${next[0] * size + next[1]}"]`)?.focus();
  };
  const onPointerMove = (event: PointerEvent): void => {
    const cell = (event.target as HTMLElement).dataset.cell;
    const place = cell === undefined ? null : ([Math.floor(Number(cell) / size), Number(cell) % size] as const);
    setPointed(place);
    if (!place || !onGroup) return;
    if (event.type === 'pointerdown') dragged.current = [Math.min(...place), Math.max(...place)];
    else if (event.buttons === 1 && dragged.current)
      dragged.current = [Math.min(dragged.current[0], ...place), Math.max(dragged.current[1], ...place)];
  };
  const onPointerUp = (): void => {
    const span = dragged.current;
    dragged.current = null;
    if (span && onGroup && span[0] !== span[1]) onGroup(span[0], span[1]);
  };
  const isGrouped = (a: number, b: number): boolean => a !== b && groups.some(group => group.includes(a) && group.includes(b));
  const [r, c] = within(cursor, size);
  return (
    <figure class={onGroup ? 'similar groups' : 'similar'} ref={frame}>
      {/* biome-ignore lint/a11y/useSemanticElements: cells are laid out by CSS */}
      <div
        role="grid"
        aria-label={label}
        ref={grid}
        style={{ '--side': `${side}px`, '--n': size }}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerMove}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => setPointed(null)}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        {/* biome-ignore lint/a11y/useFocusableInteractive: its cells are focused */}
        <div role="row">
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
          <span role="columnheader">
            <span class="sr">{what}</span>
          </span>
          {labels.map((each, at) => (
            // biome-ignore lint/a11y/useSemanticElements: see above
            // biome-ignore lint/a11y/useFocusableInteractive: see above
            <span key={each} role="columnheader" aria-label={each}>
              {at % every === 0 ? each : ''}
            </span>
          ))}
        </div>
        {labels.map((each, a) => (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: see above
          <div key={each} role="row">
            {/* biome-ignore lint/a11y/useSemanticElements: see above */}
            {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
            <span role="rowheader" aria-label={each}>
              {a % every === 0 ? each : ''}
            </span>
            {labels.map((other, b) => (
              // biome-ignore lint/a11y/useSemanticElements: see above
              <span
                key={other}
                role="gridcell"
                tabIndex={a === r && b === c ? 0 : -1}
                data-cell={a * size + b}
                class={`${a === b ? 'same' : ''} ${isChosen(chosen, a, b) ? 'on' : ''} ${isGrouped(a, b) ? 'grouped' : ''}`}
                aria-label={a === b ? t('the same') : `${pair(each, other)}: ${cosine(value(a, b))}`}
                style={a === b ? undefined : { background: shade(value(a, b), most, numbers) }}
                onFocus={() => setCursor([a, b])}
              >
                {numbers && a !== b ? cosine(value(a, b)) : ''}
              </span>
            ))}
          </div>
        ))}
      </div>
      <p class="told small">{reading}</p>
      <Legend most={most} signed={cosines.some(each => each < -most / 50)} readable={numbers} />
    </figure>
  );
}

/** Both ends of the scale. */
export function Legend({ most, signed, readable = false }: { most: number; signed: boolean; readable?: boolean }) {
  const end = (value: number): string => shade(value, 1, readable);
  return (
    <p class="scale">
      <span>{signed ? `−${cosine(most)}` : '0'}</span>
      <span
        class="ramp"
        aria-hidden="true"
        style={{
          background: `linear-gradient(90deg in oklab, ${signed ? `${end(-1)}, var(--hr-bg)` : 'var(--hr-bg)'}, ${end(1)})`,
        }}
      />
      <span>{cosine(most)}</span>
      <span>{t('cosine')}</span>
    </p>
  );
}

/** Blue for alike, orange for opposite; numbers on it stay readable up to 46 %. */
export function shade(value: number, most: number, readable: boolean): string {
  const strength = Math.min(1, Math.abs(value) / (most || 1)) * (readable ? 46 : 100);
  return `color-mix(in oklab, ${value < 0 ? 'var(--hr-warm)' : 'var(--hr-cool)'} ${strength.toFixed(1)}%, var(--hr-bg))`;
}

const within = ([row, column]: readonly [number, number], size: number): readonly [number, number] => [
  Math.min(row, size - 1),
  Math.min(column, size - 1),
];

const isChosen = (chosen: Props['chosen'], a: number, b: number): boolean =>
  chosen !== undefined && ((chosen[0] === a && chosen[1] === b) || (chosen[0] === b && chosen[1] === a));
