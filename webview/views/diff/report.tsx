import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { lineageIn } from '../../../src/protocol/lineage.ts';
import type { DiffHostApi, DiffView, Measurement } from '../../../src/protocol/messages.ts';
import type { Remote } from '../../../src/protocol/rpc.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { barScale, organs as organsOf } from '../../layout/diff-bars.ts';
import { columnsFor } from '../../layout/diff-columns.ts';
import { digest as digestOf } from '../../layout/diff-digest.ts';
import { nextSort, type Sort, type SortKey } from '../../layout/diff-order.ts';
import { ancestors, type DiffRow, listRows, totalTensors, worstNode } from '../../layout/diff-rows.ts';
import { cosine, count } from '../../numbers.ts';
import { Readings } from '../editor/inside/reading.ts';
import { DriftPane } from '../measure/drift-chart.tsx';
import { HowMeasured, WorstPane } from '../measure/worst.tsx';
import { TreeTable, type TreeTableHandle } from '../tree-table.tsx';
import { columnsOf } from './columns.tsx';
import { Details } from './details.tsx';
import { Header } from './header.tsx';
import { Heads } from './heads.tsx';
import { HowMade } from './how-made.tsx';
import { type DiffState, keep, restored } from './state.ts';
import { NothingChanged } from './states.tsx';
import { Toolbar } from './toolbar.tsx';
import { Totals } from './totals.tsx';
import { namesOf, titleOf } from './words.ts';

type Ready = Extract<DiffView, { state: 'ready' }>;

/** The comparison: totals, the joined tree, and how the second model was made. */
export function Report({ view, api }: { view: Ready; api: Remote<DiffHostApi> }) {
  const { comparison, made } = view;
  const { tree } = comparison;
  const measurement = view.measurement ?? { state: 'none' };
  const [state, setState] = useState<DiffState>(() => restored(comparison));
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [showEqual, setShowEqual] = useState(false);
  const update = (change: Partial<DiffState>): void => setState(known => ({ ...known, ...change }));
  useEffect(() => keep(comparison, state), [state]);

  const readings = useMemo(() => new Readings(), [comparison]);
  const lineage = useMemo(() => lineageIn(comparison, made), [made, comparison]);
  const digest = useMemo(() => digestOf(tree), [tree]);
  const organs = useMemo(() => organsOf(tree), [tree]);
  const changes = useMemo(() => new Set(state.changes), [state.changes]);
  const listing = useMemo(
    () =>
      listRows(tree, {
        digest,
        closed,
        open: new Set(state.open),
        query: { filter: state.filter, changes },
        sort: state.sort,
        title: titleOf,
      }),
    [tree, state.open, closed, state.filter, changes, state.sort],
  );
  const keys = columnsFor(useWidth());
  const columns = useMemo(() => columnsOf(keys, { root: tree, digest, organs, scale: barScale(tree) }), [keys.join(), tree]);

  const table = useRef<TreeTableHandle>(null);
  const filterField = useRef<HTMLElement>(null);
  useFilterKey(filterField);
  useEffect(() => {
    if (state.selected) table.current?.reveal(state.selected);
  }, [state.selected, state.sort]);

  const total = totalTensors(tree, digest);
  const filtered = state.filter.trim() !== '' || changes.size > 0;
  const found = filtered ? t('{n} of {m}', { n: listing.matched, m: total }) : count(total);
  const counts = digest.get(tree.id)!.tensors;
  const node = state.selected ? listing.rows.find(row => row.id === state.selected)?.node : undefined;
  const setFilter = (filter: string): void => {
    setClosed(new Set());
    update({ filter });
  };
  const setSort = (sort: Sort | null): void => {
    const worst = sort?.key === 'error' && sort.direction === 'descending' ? worstNode(tree, digest) : undefined;
    update({ sort, ...(worst && { open: [...new Set([...state.open, ...ancestors(worst, digest)])] }) });
  };
  const onExpand = (ids: readonly string[], expanded: boolean): void => {
    const [open, shut] = [new Set(state.open), new Set(closed)];
    for (const id of ids) {
      (expanded ? open : shut).add(id);
      (expanded ? shut : open).delete(id);
    }
    setClosed(shut);
    update({ open: [...open] });
  };
  const onScroll = useLater((scrollTop: number) => update({ scrollTop }));
  const equal = counts.same === total;
  return (
    <main class="diff">
      <Header names={namesOf(comparison.names, made)} made={made} api={api} />
      {view.changedOnDisk && (
        <div class="banner" role="status">
          <Icon name="warning" />
          <p class="grow">{t('Changed on disk. The numbers are of the files as they were.')}</p>
          <Button onClick={() => void api.reload()}>{t('Reload')}</Button>
        </div>
      )}
      <Totals
        totals={comparison.totals}
        measurement={measurement}
        predicted={view.predicted}
        onMeasure={() => void api.measure()}
        onCancel={() => void api.cancelMeasuring()}
      />
      {equal && !showEqual ? (
        <NothingChanged total={total} made={made} onShow={() => setShowEqual(true)} />
      ) : (
        <>
          <Toolbar
            counts={counts}
            changes={changes}
            filter={state.filter}
            found={found}
            sort={state.sort}
            onChanges={next => update({ changes: next })}
            onFilter={setFilter}
            onSort={setSort}
            filterField={filterField}
            onLeave={() => table.current?.focus()}
          />
          <div class="cols">
            <div class="main">
              <TreeTable<DiffRow>
                class="diff-table"
                label={t('Tensors before and after')}
                rows={listing.rows}
                columns={columns}
                selected={state.selected}
                sorting={state.sort && { key: state.sort.key, descending: state.sort.direction === 'descending' }}
                onSort={pressed => setSort(nextSort(state.sort, (pressed?.key ?? state.sort?.key ?? 'name') as SortKey))}
                onSelect={row => update({ selected: row.id })}
                onExpand={onExpand}
                text={row => titleOf(row.node)}
                rowClass={row => `is-${row.node.change}`}
                empty={<p class="none muted">{t('No tensor matches.')}</p>}
                scrollTop={state.scrollTop}
                onScroll={onScroll}
                handle={table}
              />
              {node && (
                <Details
                  node={node}
                  entry={digest.get(node.id)!}
                  api={api}
                  readings={readings}
                  onCopy={text => void api.copyText(text)}
                  onClose={() => {
                    update({ selected: null });
                    table.current?.focus(node.id);
                  }}
                />
              )}
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a pane that scrolls can be scrolled by keys */}
            <aside class="side scroll" tabIndex={0} aria-label={t('Drift, heads, and how this was made')}>
              <DriftPane measurement={measurement} />
              <WorstPane measurement={measurement} />
              <Heads
                before={comparison.heads.before}
                after={comparison.heads.after}
                lineage={lineage}
                onAttention={layer => void api.openAttention(layer, null)}
              />
              <HowMade
                made={made}
                names={namesOf(comparison.names, made)}
                onOpenOriginal={() => void api.openOriginal()}
                onOpenResult={() => void api.openResult()}
              />
              <HowMeasured measurement={measurement} />
            </aside>
          </div>
        </>
      )}
      <p class="sr" aria-live="polite">
        {filtered ? t('{n} of {m} tensors', { n: listing.matched, m: total }) : measuringSaid(measurement)}
      </p>
    </main>
  );
}

/** For those who cannot see the meter: every ten percent, and what came of it. */
function measuringSaid(measurement: Measurement): string {
  if (measurement.state === 'running')
    return t('Measuring, {n} percent', { n: Math.floor((measurement.progress?.fraction ?? 0) * 10) * 10 });
  const mean = measurement.state === 'done' ? measurement.kept.evaluation.drift?.cosineMean : undefined;
  return typeof mean === 'number' ? t('Measured. Cosine to the original {mean}', { mean: cosine(mean) }) : '';
}

/** Calls once things are quiet: scrolling draws rows, not the page around them. */
function useLater<Value>(act: (value: Value) => void): (value: Value) => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return value => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => act(value), 150);
  };
}

function useWidth(): number {
  const [width, setWidth] = useState(() => window.innerWidth);
  useEffect(() => {
    const onResize = (): void => setWidth(window.innerWidth);
    window.addEventListener('resize', onResize);
    return () => window.removeEventListener('resize', onResize);
  }, []);
  return width;
}

/** Ctrl+F, or Cmd+F, goes to the filter. */
function useFilterKey(field: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'f' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
