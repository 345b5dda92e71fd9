// biome-ignore-all lint/a11y/useKeyWithMouseEvents: hover only repeats what focus and selection already show
// biome-ignore-all lint/a11y/useSemanticElements: options placed by size cannot be a <select>
import { Component } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../l10n.ts';
import { type IcicleNode, type IcicleRect, icicle, icicleNeighbour } from '../../layout/icicle.ts';
import type { Entry, Measure, ModelIndex } from '../../layout/model-index.ts';
import { share } from '../../numbers.ts';
import { pathOf, titleOf } from './words.ts';

export interface OverviewProps {
  readonly index: ModelIndex;
  readonly measure: Measure;
  /** Pixels of the page. */
  readonly width: number;
  readonly levels: number;
  readonly selected: string | null;
  readonly hot: string | null;
  readonly onSelect: (id: string | null) => void;
  readonly onHover: (id: string | null) => void;
}

const levelHeight = 18;
/** Pixels of a letter at 11 px, a little more than the average of the usual fonts; CJK letters are square. */
const textWidth = (text: string): number => [...text].reduce((sum, letter) => sum + (letter > '\u2e7f' ? 11.5 : 6.3), 0);

/** The whole model as a strip: width is the share, one level a row. */
export function Overview({ index, measure, width, levels, selected, hot, onSelect, onHover }: OverviewProps) {
  const root = useRef<HTMLDivElement>(null);
  const inset = width < 560 ? 24 : 32;
  const pixels = Math.max(1, width - inset);
  const rects = useMemo(() => icicle(toIcicle(index.root, measure), levels, 1 / pixels), [index, measure, levels, pixels]);
  const parts = useMemo(() => rects.map(rect => partOf(rect, index, measure, pixels)), [rects]);
  const marked = nearestDrawn(rects, index, selected);
  const [active, setActive] = useState<string | null>(null);
  const tabStop = rects.some(rect => rect.id === active) ? active : (marked ?? rects[0]?.id ?? null);

  /** The share of the width that has rectangles: the rest is too many too small parts. */
  const drawn = rects.reduce((sum, rect) => sum + (rect.top === 0 ? rect.right - rect.left : 0), 0);

  const onKeyDown = (event: KeyboardEvent): void => {
    const id = (event.target as HTMLElement).dataset.id;
    if (id === undefined) return;
    if (event.key === 'Enter' || event.key === ' ') onSelect(id);
    else if (event.key === 'Escape') onSelect(null);
    else if (['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) {
      const to = icicleNeighbour(rects, id, event.key);
      setActive(to);
      [...(root.current?.children ?? [])].find(
        child => (child as HTMLElement).dataset.id === to && (child as HTMLElement).focus(),
      );
    } else return;
    event.preventDefault();
  };

  return (
    <div
      ref={root}
      class={`ice ${drawn < 0.98 ? 'thin' : ''}`}
      role="listbox"
      tabIndex={rects.length ? -1 : 0}
      aria-label={
        measure === 'parameters' ? t('Overview: width is the share of parameters') : t('Overview: width is the share of bytes')
      }
      aria-orientation="horizontal"
      style={{ height: `${levels * levelHeight}px` }}
      onKeyDown={onKeyDown}
      onClick={event => {
        const id = idOf(event);
        if (id !== null) onSelect(id);
      }}
      onFocusIn={event => setActive(idOf(event))}
      onMouseOver={event => onHover(idOf(event))}
      onMouseLeave={() => onHover(null)}
    >
      {parts.map(part => (
        <PartOption
          key={part.id}
          part={part}
          selected={part.id === marked}
          hot={part.id === hot}
          tabbable={part.id === tabStop}
        />
      ))}
    </div>
  );
}

const idOf = (event: Event): string | null => (event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset.id ?? null;

/** A rectangle and what is written on it. */
interface Part extends IcicleRect {
  readonly class: string;
  /** "Layer 3 · Attention, 2.61 %" */
  readonly label: string;
  /** What fits of it; empty when nothing does. */
  readonly text: string;
}

function partOf(rect: IcicleRect, index: ModelIndex, measure: Measure, pixels: number): Part {
  const entry = index.byId.get(rect.id)!;
  const part = share(entry.node[measure] / index.root.node[measure]);
  const text = labelFor(entry, (rect.right - rect.left) * pixels, part);
  return { ...rect, class: `c-${entry.organ ?? 'other'} ${text ? '' : 'slim'}`, label: `${pathOf(entry)}, ${part}`, text };
}

interface PartProps {
  readonly part: Part;
  readonly selected: boolean;
  readonly hot: boolean;
  readonly tabbable: boolean;
}

/** One of up to a thousand rectangles: drawn again only when it changed, not whenever the pointer moves. */
class PartOption extends Component<PartProps> {
  override shouldComponentUpdate({ part, selected, hot, tabbable }: PartProps): boolean {
    const now = this.props;
    return part !== now.part || selected !== now.selected || hot !== now.hot || tabbable !== now.tabbable;
  }

  override render({ part, selected, hot, tabbable }: PartProps) {
    return (
      <button
        type="button"
        role="option"
        data-id={part.id}
        class={`${part.class} ${hot ? 'hot' : ''}`}
        aria-selected={selected}
        tabIndex={tabbable ? 0 : -1}
        title={part.label}
        style={{
          left: `${part.left * 100}%`,
          width: `max(1px, calc(${(part.right - part.left) * 100}% - 1px))`,
          top: `${part.top * levelHeight}px`,
          height: `${(part.bottom - part.top) * levelHeight - 1}px`,
        }}
      >
        <span class="sr">{part.label}</span>
        <span aria-hidden="true">{part.text}</span>
      </button>
    );
  }
}

/** A part whose only part is a tensor is drawn as one: a table and its weight are the same thing. */
function toIcicle({ node, children }: Entry, measure: Measure): IcicleNode {
  const parts = children.length === 1 && !children[0]!.children.length ? [] : children;
  return { id: node.id, value: node[measure], children: parts.map(child => toIcicle(child, measure)) };
}

/** The selected row's rectangle, or that of the nearest row above it that has one. */
function nearestDrawn(rects: readonly IcicleRect[], index: ModelIndex, id: string | null): string | null {
  const drawn = new Set(rects.map(rect => rect.id));
  for (let at = id === null ? undefined : index.byId.get(id); at; at = at.parent) if (drawn.has(at.node.id)) return at.node.id;
  return null;
}

/** A label only if it fits whole, or has a short form that does. */
function labelFor(entry: Entry, pixels: number, part: string): string {
  const title = titleOf(entry.node);
  const fits = (text: string): boolean => textWidth(text) + 10 < pixels;
  const long = `${title}\u2002${part}`;
  if (entry.depth <= 2 && entry.organ !== undefined && entry.layer === undefined && fits(long)) return long;
  if (entry.node.kind === 'encoder' && fits(long)) return long;
  return [title, shortTitle(entry, title)].find(fits) ?? '';
}

function shortTitle({ node, layer, depth }: Entry, title: string): string {
  if (node.kind === 'layer' && layer !== undefined) return String(layer);
  if (node.kind === 'feed-forward') return t('FF');
  if (node.kind === 'attention') return t('Attn');
  if (node.kind === 'embeddings' && depth === 1) return t('Emb');
  return title;
}
