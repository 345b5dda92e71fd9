// biome-ignore-all lint/a11y/useSemanticElements: options placed by size cannot be a <select>
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
  const marked = nearestDrawn(rects, index, selected);
  const [active, setActive] = useState<string | null>(null);
  const tabStop = rects.some(rect => rect.id === active) ? active : (marked ?? rects[0]?.id ?? null);
  const total = index.root.node[measure];

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
      onMouseLeave={() => onHover(null)}
    >
      {rects.map(rect => {
        const entry = index.byId.get(rect.id)!;
        const part = share(entry.node[measure] / total);
        const label = `${pathOf(entry)}, ${part}`;
        const text = labelFor(entry, (rect.right - rect.left) * pixels, part);
        return (
          <button
            key={rect.id}
            type="button"
            role="option"
            data-id={rect.id}
            class={`c-${entry.organ ?? 'other'} ${text ? '' : 'slim'} ${rect.id === hot ? 'hot' : ''}`}
            aria-selected={rect.id === marked}
            tabIndex={rect.id === tabStop ? 0 : -1}
            title={`${pathOf(entry)} · ${part}`}
            style={{
              left: `${rect.left * 100}%`,
              width: `max(1px, calc(${(rect.right - rect.left) * 100}% - 1px))`,
              top: `${rect.top * levelHeight}px`,
              height: `${(rect.bottom - rect.top) * levelHeight - 1}px`,
            }}
            onClick={() => {
              setActive(rect.id);
              onSelect(rect.id);
            }}
            onFocus={() => setActive(rect.id)}
            onMouseOver={() => onHover(rect.id)}
          >
            <span class="sr">{label}</span>
            <span aria-hidden="true">{text}</span>
          </button>
        );
      })}
    </div>
  );
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
