import { useRef } from 'preact/hooks';

export interface SashProps {
  /** What it divides: "Size of the side pane". */
  readonly label: string;
  /** How the line runs. */
  readonly orientation: 'vertical' | 'horizontal';
  /** Size in pixels of the pane after it. */
  readonly size: number;
  readonly least: number;
  readonly most: number;
  readonly usual: number;
  readonly onChange: (size: number) => void;
}

const step = 16;

/** The line between two panes: dragged, or moved by the arrow keys; a double click gives the usual size back. */
export function Sash({ label, orientation, size, least, most, usual, onChange }: SashProps) {
  const start = useRef<{ at: number; size: number } | null>(null);
  const vertical = orientation === 'vertical';
  const set = (next: number): void => onChange(Math.round(Math.max(least, Math.min(most, next))));
  const at = (event: PointerEvent): number => (vertical ? event.clientX : event.clientY);
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.shiftKey ? step * 4 : step;
    const grow = vertical ? 'ArrowLeft' : 'ArrowUp';
    const shrink = vertical ? 'ArrowRight' : 'ArrowDown';
    const next = { [grow]: size + by, [shrink]: size - by, Home: least, End: most, Enter: usual }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    set(next);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a focusable separator is a widget, an <hr> is not
    <div
      class={`sash ${orientation}`}
      role="separator"
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDblClick={() => set(usual)}
      onPointerDown={event => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { at: at(event), size };
      }}
      onPointerMove={event => start.current && set(start.current.size - (at(event) - start.current.at))}
      onPointerUp={() => {
        start.current = null;
      }}
      onPointerCancel={() => {
        start.current = null;
      }}
    />
  );
}
