import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EditorHostApi, EditorView } from '../../../src/protocol/messages.ts';
import type { Remote } from '../../../src/protocol/rpc.ts';
import { locale, t } from '../../l10n.ts';
import { type CopiedRow, copiedRow, markdown, tsv, tsvLine } from '../../layout/copied.ts';
import { type HeadPlace, type HeadSelection, keyOf } from '../../layout/head-selection.ts';
import { type Entry, indexModel, type ModelIndex } from '../../layout/model-index.ts';
import { type ModelRow, modelRows } from '../../layout/model-rows.ts';
import { layoutOf } from '../page-width.ts';
import { Sash } from '../sash.tsx';
import type { TreeTableHandle } from '../tree-table.tsx';
import { Banners } from './banners.tsx';
import { Details } from './details.tsx';
import { Header, Totals } from './header.tsx';
import { Readings } from './inside/reading.ts';
import { announce } from './live.ts';
import { Overview } from './overview.tsx';
import { UnitsPane, unitsOf } from './prune/units-pane.tsx';
import { bottom, type SavedState, savedState, saveState, side, type Tab } from './saved-state.ts';
import { Tabs } from './tabs.tsx';
import { Tensors } from './tensors.tsx';
import { Toolbar } from './toolbar.tsx';
import { describe, dtypesOf, pathOf, titleOf } from './words.ts';

export interface ReadyProps {
  readonly view: Extract<EditorView, { state: 'ready' }>;
  readonly width: number;
  readonly api: Remote<EditorHostApi>;
  /** Rises each time the host wants the filter focused. */
  readonly filterCalls: number;
}

const collator = new Intl.Collator(locale, { numeric: true });

/** The editor of a model that could be read: one selection, one hover and one filter for all of its views. */
export function Ready({ view, width, api, filterCalls }: ReadyProps) {
  const { summary } = view;
  const index = useMemo(() => indexModel(summary, titleOf), [summary]);
  const [state, setState] = useState<SavedState>(savedState);
  const change = (part: Partial<SavedState>): void => setState(now => ({ ...now, ...part }));
  // Kept but not drawn: the table scrolls by itself.
  const scrollTop = useRef(state.scrollTop);
  useEffect(() => saveState({ ...state, scrollTop: scrollTop.current }), [state]);
  const onScroll = (top: number): void => {
    scrollTop.current = top;
    saveState({ ...state, scrollTop: top });
  };
  const [hot, setHot] = useState<string | null>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const table = useRef<TreeTableHandle>(null);
  const filterField = useRef<HTMLElement>(null);
  const layout = layoutOf(width);

  const open = useMemo(() => new Set(state.open ?? openAtFirst(index)), [state.open, index]);
  const kept = useMemo(() => new Map<string, ModelRow>(), [index]);
  const { rows, matches } = useMemo(
    () =>
      modelRows(
        index,
        {
          open,
          closed,
          sorting: state.sorting,
          filter: state.filter,
          measure: state.measure,
          title: entry => titleOf(entry.node),
          compare: collator.compare,
        },
        kept,
      ),
    [index, open, closed, state.sorting, state.filter, state.measure, kept],
  );

  const entry = state.selection.id === null ? undefined : index.byId.get(state.selection.id);
  const head = state.selection.head && summary.heads.find(one => same(one, state.selection.head!));

  const reveal = useRef<string | null>(null);
  useEffect(() => {
    if (reveal.current !== null) table.current?.reveal(reveal.current);
    reveal.current = null;
  });
  // One head is a selection like a row; several were gathered, and stay.
  const select = (
    id: string | null,
    headOf: SavedState['selection']['head'] = null,
    heads: SavedState['heads'] = state.heads.length === 1 ? [] : state.heads,
  ): void => {
    reveal.current = id;
    setState(now => ({
      ...now,
      selection: { id, head: headOf },
      heads,
      open: id === null ? now.open : [...(now.open ?? openAtFirst(index)), ...closedAbove(index, id, open)],
    }));
  };
  /** The row that goes with a head is that of its layer's attention. */
  const selectHeads = (selected: HeadSelection, at: HeadPlace | null): void => {
    const isIn = at !== null && selected.has(keyOf(at));
    select(isIn ? attentionId(index, at.layer) : state.selection.id, isIn ? at : null, [...selected]);
  };
  const sort = (sorting: SavedState['sorting']): void => {
    reveal.current = state.selection.id;
    change({ sorting });
  };
  const expand = (ids: readonly string[], expanded: boolean): void => {
    if (state.filter.trim()) setClosed(now => new Set(expanded ? [...now].filter(id => !ids.includes(id)) : [...now, ...ids]));
    else change({ open: expanded ? [...new Set([...open, ...ids])] : [...open].filter(id => !ids.includes(id)) });
  };
  const filter = (text: string): void => {
    setClosed(new Set());
    change({ filter: text });
  };
  const expandAll = (): void => {
    setClosed(new Set());
    change({ open: [...index.byId.values()].filter(one => one.children.length).map(one => one.node.id) });
  };

  const counted = useRef(state.filter);
  useEffect(() => {
    if (counted.current === state.filter) return;
    counted.current = state.filter;
    announce(t('{n} of {m} tensors', { n: matches, m: index.tensorCount }));
  }, [state.filter, matches, index]);
  useEffect(() => {
    if (filterCalls > 0) focusFilter(filterField.current);
  }, [filterCalls]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'f' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      focusFilter(filterField.current);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);

  const copy = (text: string): void => void api.copyText(text).then(() => announce(t('Copied')));
  const copied = (one: Entry): CopiedRow => copiedRow(one, pathOf(one), index.root.node.parameters);
  const copyTable = (kind: 'tsv' | 'markdown'): void => {
    const heads = [t('Name'), t('Parameters'), t('Bytes'), t('Share of model'), t('Shape'), t('Type')];
    const all = [...rows.map(row => copied(row.entry)), copiedRow(index.root, t('Total'), index.root.node.parameters)];
    copy(kind === 'tsv' ? tsv(heads, all) : markdown(heads, all));
  };
  const layerOfHead = state.selection.head?.layer ?? entry?.layer ?? null;
  const known = useMemo(() => new Set(summary.heads.map(keyOf)), [summary]);
  const readings = useMemo(() => new Readings(), [summary]);
  const selectedHeads = useMemo(() => new Set(state.heads.filter(key => known.has(key))), [state.heads, known]);
  const hasHeads = unitsOf(summary).length > 0;
  const tab: Tab = state.tab === 'heads' && !hasHeads ? 'tensors' : state.tab;
  const shows = (one: Tab): boolean => layout !== 'narrow' || tab === one;

  const tensors = (
    <Tensors
      summary={summary}
      index={index}
      rows={rows}
      measure={state.measure}
      width={layout === 'wide' ? width - state.sideWidth - 1 : width}
      filtered={state.filter.trim() !== ''}
      selected={state.selection.id}
      hot={hot}
      sorting={state.sorting}
      onSort={sort}
      onSelect={id => select(id)}
      onExpand={expand}
      onHover={setHot}
      scrollTop={scrollTop.current}
      onScroll={onScroll}
      onCopy={row => copy(tsvLine(copied(row.entry)))}
      table={table}
    />
  );
  return (
    <>
      <Header name={view.name} description={describe(summary, index)}>
        <Totals parameters={summary.model.parameters} byteLength={summary.file.byteLength} dtypes={dtypesOf(summary)} />
      </Header>
      <Toolbar
        width={width}
        disabled={view.deleted}
        measure={state.measure}
        onMeasure={measure => change({ measure })}
        filter={state.filter}
        onFilter={filter}
        onLeaveFilter={() => table.current?.focus()}
        matches={matches}
        tensors={index.tensorCount}
        onExpandAll={expandAll}
        onCollapseAll={() => change({ open: [] })}
        onQuantize={() => void api.quantize()}
        onCompress={() => void api.openCompress()}
        onCompare={() => void api.openCompare()}
        onRedundancy={() => void api.openRedundancy()}
        onSensitivity={() => void api.openSensitivity()}
        onCopyTable={copyTable}
        filterField={filterField}
      />
      <Banners
        summary={summary}
        changedOnDisk={view.changedOnDisk}
        deleted={view.deleted}
        onReload={() => void api.reload()}
        onHeads={heads => api.stateHeads(heads)}
        kept={view.kept}
        onOpenMeasured={() => void api.openMeasured()}
      />
      <Overview
        index={index}
        measure={state.measure}
        width={width}
        levels={layout === 'narrow' ? 2 : 4}
        selected={state.selection.id}
        hot={hot}
        onSelect={id => select(id)}
        onHover={setHot}
      />
      {layout === 'narrow' && <Tabs tab={tab} heads={hasHeads} onTab={chosen => change({ tab: chosen })} />}
      <div class={`cols ${layout} ${view.deleted ? 'gone' : ''}`}>
        {shows('tensors') && (
          <div class="main" {...panel(layout === 'narrow', 'tensors')}>
            {tensors}
          </div>
        )}
        {layout !== 'narrow' && (
          <Sash
            label={t('Size of the side pane')}
            orientation={layout === 'wide' ? 'vertical' : 'horizontal'}
            size={layout === 'wide' ? state.sideWidth : state.bottomHeight}
            {...(layout === 'wide' ? side : bottom)}
            onChange={size => change(layout === 'wide' ? { sideWidth: size } : { bottomHeight: size })}
          />
        )}
        {(layout !== 'narrow' || tab !== 'tensors') && (
          <aside
            class="side"
            aria-label={t('Heads and details')}
            style={
              layout === 'wide'
                ? { width: `${state.sideWidth}px` }
                : layout === 'medium'
                  ? { height: `${state.bottomHeight}px` }
                  : {}
            }
            {...panel(layout === 'narrow', tab)}
          >
            {hasHeads && shows('heads') && (
              <UnitsPane
                summary={summary}
                measure={state.measure}
                api={api}
                state={state}
                onState={change}
                disabled={view.deleted}
                readMeasures={options => api.headMeasures(options)}
                readings={readings}
                selected={selectedHeads}
                layer={layerOfHead}
                hotLayer={hot === null ? null : (index.byId.get(hot)?.layer ?? null)}
                onSelect={selectHeads}
                onCopy={copy}
                onHover={layer => setHot(layer === null ? null : attentionId(index, layer))}
              />
            )}
            {shows('details') && (
              <Details
                summary={summary}
                index={index}
                entry={entry}
                head={head ?? undefined}
                onCopy={copy}
                insides={{ api, readings, state, onState: change }}
                onAttention={(layer, head) => void api.openAttention(layer, head)}
              />
            )}
          </aside>
        )}
      </div>
    </>
  );
}

const same = (a: { layer: number; head: number }, b: { layer: number; head: number }): boolean =>
  a.layer === b.layer && a.head === b.head;

const panel = (narrow: boolean, tab: Tab): Record<string, string> =>
  narrow ? { role: 'tabpanel', id: `panel-${tab}`, 'aria-labelledby': `tab-${tab}` } : {};

/** What is open when a model is seen for the first time: embeddings and encoder, so that the layers show; of what is no BERT, all that is on top. */
function openAtFirst({ root, layers }: ModelIndex): string[] {
  const shown = root.children.filter(({ node }) => !layers.length || node.kind === 'embeddings' || node.kind === 'encoder');
  return shown.map(({ node }) => node.id);
}

/** The closed rows that hide `id`. */
function closedAbove(index: ModelIndex, id: string, open: ReadonlySet<string>): string[] {
  const ids: string[] = [];
  for (let at: Entry | undefined = index.byId.get(id)?.parent; at?.parent; at = at.parent)
    if (!open.has(at.node.id)) ids.push(at.node.id);
  return ids;
}

function attentionId(index: ModelIndex, layer: number): string | null {
  const inTree = index.layers[layer] ?? index.layers.at(-1);
  return (inTree?.children.find(child => child.node.kind === 'attention') ?? inTree)?.node.id ?? null;
}

function focusFilter(field: HTMLElement | null): void {
  field?.focus();
  (field as unknown as { control?: HTMLInputElement } | null)?.control?.select();
}
