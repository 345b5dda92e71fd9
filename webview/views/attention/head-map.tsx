import { useState } from 'preact/hooks';
import { t } from '../../l10n.ts';
import { cellSize, mostLookedAt, nextPair, type TokenPair } from '../../layout/attention.ts';
import { visibleName } from '../../layout/names.ts';
import { share } from '../../numbers.ts';
import { MapCanvas } from './map-canvas.tsx';

interface HeadMapProps {
  readonly title: string;
  readonly tokens: readonly string[];
  readonly weights_TT: readonly number[];
  /** The weight of the full colour: one scale for the maps side by side. */
  readonly most: number;
  /** The cell that is read out: the same in the maps side by side. */
  readonly at: TokenPair;
  readonly onAt: (at: TokenPair) => void;
}

/** One head: rows are the tokens that look, columns the tokens that are looked at. */
export function HeadMap({ title, tokens, weights_TT, most, at: wanted, onAt }: HeadMapProps) {
  const [focused, setFocused] = useState(false);
  const length = tokens.length;
  const cell = cellSize(length);
  const at = { from: Math.min(wanted.from, length - 1), to: Math.min(wanted.to, length - 1) };
  const names = tokens.map(token => visibleName(token, 24));
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = nextPair(at, event.key, length);
    if (!next) return;
    event.preventDefault();
    onAt(next);
  };
  const onPointer = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [to, from] = [event.clientX - box.left, event.clientY - box.top].map(place => Math.floor(place / cell));
    if (from! >= 0 && to! >= 0 && from! < length && to! < length) onAt({ from: from!, to: to! });
  };
  const weight = weights_TT[at.from * length + at.to] ?? 0;
  const top = mostLookedAt(weights_TT, length, at.from, 3).map(
    to => `${names[to]} ${percent(weights_TT[at.from * length + to]!)}`,
  );
  const said = t('{from} looks at {to}: {weight}. Most at {most}.', {
    from: names[at.from] ?? '',
    to: names[at.to] ?? '',
    weight: percent(weight),
    most: top.join(', '),
  });
  return (
    <section class="head-map" aria-label={title}>
      <h2>{title}</h2>
      <div class="scroller" tabIndex={-1}>
        <div class="token-grid" style={{ '--cell': `${cell}px`, '--n': length }}>
          <span class="corner" aria-hidden="true" />
          <div class="across" aria-hidden="true">
            {names.map((name, index) => (
              <span key={index} class={index === at.to ? 'on' : undefined}>
                <bdi>{name}</bdi>
              </span>
            ))}
          </div>
          <div class="down" aria-hidden="true">
            {names.map((name, index) => (
              <span key={index} class={index === at.from ? 'on' : undefined}>
                <bdi>{name}</bdi>
              </span>
            ))}
          </div>
          <div
            class="surface"
            role="slider"
            tabIndex={0}
            aria-label={t('{title}, tokens by tokens', { title })}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(weight * 100)}
            aria-valuetext={said}
            onKeyDown={onKeyDown}
            onPointerMove={onPointer}
            onPointerDown={onPointer}
            onFocus={() => setFocused(true)}
            onBlur={() => setFocused(false)}
          >
            <MapCanvas weights_TT={weights_TT} tokens={length} most={most} size={cell * length} />
            <i
              class={`cursor ${focused ? 'on' : ''}`}
              style={{ left: `${at.to * cell}px`, top: `${at.from * cell}px`, width: `${cell}px`, height: `${cell}px` }}
            />
          </div>
        </div>
      </div>
      <p class="small read" aria-hidden="true">
        {said}
      </p>
    </section>
  );
}

const percent = (weight: number): string => share(weight, 1);
